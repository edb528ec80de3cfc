import type { Span, Workload } from "../model/index.ts";
import type { RuleCheck } from "./rule-check.ts";
import { checkServerFirst } from "./server-first.ts";
import { nameOf } from "./workload.ts";

/** Headers that a sidecar does not send to be checked unless it is told to. */
const WITHHELD: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

/** Checks a rule against the workloads it is about. */
export function checkRule(check: RuleCheck): void {
  checkTcpConditions(check);
  checkWithheld(check);
  checkPorts(check);
  checkUpgrades(check);
  checkServerFirst(check);
}

/** A connection has no host, headers, query or token, so such a condition on it would be a mistake either way. */
function checkTcpConditions({ rule, syntax, findings }: RuleCheck): void {
  const condition = (["hosts", "headers", "query", "jwt"] as const).find((key) => syntax[key] !== undefined);
  if (condition === undefined) return;
  for (const line of rule.requests ?? []) {
    if (line.kind === "tcp")
      findings.report(
        "ERR_POLICY_TCP_CONDITION",
        line.span,
        `a connection has no \`${condition}\`, and this rule has a condition on it`,
        `write a rule of its own for \`${line.text}\``,
      );
  }
}

function checkWithheld({ syntax, workloads, findings }: RuleCheck): void {
  for (const { key } of syntax.headers?.value ?? []) {
    if (!WITHHELD.has(key.text)) continue;
    const workload = workloads.find(({ sidecar }) => sidecar !== undefined && !sidecar.checkHeaders.includes(key.text));
    if (workload === undefined) continue;
    const hint = `use a \`jwt\` condition, or add \`${key.text}\` to \`sidecar.checkHeaders\` of \`${nameOf(workload)}\``;
    findings.report(
      "ERR_POLICY_WITHHELD_HEADER",
      key.span,
      `the sidecar of \`${nameOf(workload)}\` withholds \`${key.text}\``,
      hint,
    );
  }
}

/** Ports of the listeners that workloads have, or undefined where a workload brings its own Envoy and nobody knows. */
function portsOf(workloads: readonly Workload[], protocol?: "tcp"): ReadonlySet<number> | undefined {
  if (workloads.length === 0 || workloads.some(({ sidecar }) => sidecar === undefined)) return undefined;
  const listens = workloads.flatMap(({ sidecar }) => sidecar?.listens ?? []);
  return new Set(listens.filter((one) => protocol === undefined || one.protocol === protocol).map(({ port }) => port));
}

function checkPorts({ rule, syntax, workloads, findings }: RuleCheck): void {
  const warn = (span: Span, what: string, known: ReadonlySet<number>): void => {
    const hint = known.size === 0 ? undefined : `known here: ${[...known].join(", ")}`;
    findings.report("WARN_POLICY_NOT_A_PORT", span, `no workload that is protected here has ${what}`, hint);
  };
  const all = portsOf(workloads);
  for (const { value, span } of syntax.ports?.value ?? [])
    if (all !== undefined && !all.has(value)) warn(span, `a listener on port ${value}`, all);
  const tcp = portsOf(workloads, "tcp");
  for (const line of rule.requests ?? []) {
    if (line.kind !== "tcp" || tcp === undefined) continue;
    if (line.port === "*" ? tcp.size === 0 : !tcp.has(line.port))
      warn(line.span, line.port === "*" ? "a tcp listener" : `a tcp listener on port ${line.port}`, tcp);
  }
}

function checkUpgrades({ rule, workloads, findings }: RuleCheck): void {
  if (rule.effect === "deny" || portsOf(workloads) === undefined) return;
  const upgrades = workloads.some(({ sidecar }) => sidecar?.listens.some((one) => one.upgrades.length > 0));
  for (const line of rule.requests ?? []) {
    if (line.kind === "websocket" && !upgrades)
      findings.report(
        "WARN_POLICY_NOT_A_PORT",
        line.span,
        "no listener that is protected here lets WebSockets through",
        "add `upgrades: [websocket]` to the listener",
      );
  }
}
