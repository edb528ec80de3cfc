import type { CallerSelector, RequestLine, Rule, Span, Workload } from "../model/index.ts";
import type { RuleCheck } from "./rule-check.ts";
import { nameOf } from "./workload.ts";

/**
 * On a listener whose application speaks first, callers are authorized in the TLS handshake by their exact identities, so
 * a rule that reaches it may depend on identity and port only (docs/policy-language.md, "Listeners that speak first").
 */
export function checkServerFirst({ rule, workloads, trustDomain, findings }: RuleCheck): void {
  const reached = workloads.find((workload) => serverFirstPorts(workload).some((port) => reaches(rule, port)));
  if (reached === undefined) return;
  for (const { span, what } of beyondIdentity(rule, trustDomain)) {
    const message = `a listener of \`${nameOf(reached)}\` speaks first, so this rule may depend on identity and port only, and not on ${what}`;
    findings.report(
      "ERR_POLICY_SERVER_FIRST",
      span,
      message,
      "narrow the rule by `ports` or `protects`, or write one of its own for that listener",
    );
  }
}

function serverFirstPorts({ sidecar }: Workload): readonly number[] {
  return (sidecar?.listens ?? [])
    .filter((one) => one.protocol === "tcp" && one.speaksFirst === "server")
    .map(({ port }) => port);
}

/** Whether a rule can be about a connection to a port. */
function reaches(rule: Rule, port: number): boolean {
  if (rule.ports !== undefined && !rule.ports.includes(port)) return false;
  // A connection has no headers and no query, so of conditions on them only `absent` holds, in a deny.
  const impossible = [...rule.headers.values(), ...rule.query.values()].some(({ kind }) => kind !== "absent");
  if (rule.hosts !== undefined || impossible) return false;
  return rule.requests === undefined || rule.requests.some((line) => coversPort(rule.effect, line, port));
}

function coversPort(effect: Rule["effect"], line: RequestLine, port: number): boolean {
  if (line.kind === "tcp") return line.port === "*" || line.port === port;
  return effect === "deny" && line.kind === "http" && line.methods === "ANY" && line.path.text === "/**";
}

interface Beyond {
  readonly span: Span;
  readonly what: string;
}

function beyondIdentity(rule: Rule, trustDomain: string): readonly Beyond[] {
  const found: Beyond[] = [];
  if (rule.notBefore !== undefined || rule.notAfter !== undefined) found.push({ span: rule.span, what: "time" });
  if (rule.jwt !== undefined) found.push({ span: rule.span, what: "a token" });
  for (const selector of [...(rule.from ?? []), ...(rule.except?.from ?? [])])
    found.push(...beyondSelector(selector, trustDomain));
  return found;
}

function beyondSelector(
  { addresses, spiffe, trustDomain: foreign, span }: CallerSelector,
  own: string,
): readonly Beyond[] {
  const found: Beyond[] = [];
  if (addresses !== undefined) found.push({ span, what: "the caller's address" });
  const open = foreign !== undefined || (spiffe?.descendants === true && spiffe.id.trustDomain !== own);
  if (open) found.push({ span, what: "identities of another trust domain that it does not name one by one" });
  return found;
}
