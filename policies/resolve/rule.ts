import { nearest } from "../diagnostics/nearest.ts";
import type { JwtCondition, Matcher, Rule } from "../model/index.ts";
import type { AllowSyntax, DenySyntax } from "../syntax/kinds/access-policy.ts";
import type { Entries, Located } from "../syntax/readers.ts";
import { resolveCallers } from "./callers.ts";
import type { Findings } from "./findings.ts";
import type { Registry } from "./registry.ts";

/** What a rule is resolved in. */
export interface RuleContext {
  readonly effect: Rule["effect"];
  /** The policy's namespace. */
  readonly namespace: string;
  readonly registry: Registry;
  readonly findings: Findings;
}

function matchersOf(entries: Located<Entries<Located<Matcher>>> | undefined): ReadonlyMap<string, Matcher> {
  return new Map(entries?.value.map(({ key, value }) => [key.text, value.value]));
}

/** Resolves a rule against the registry and the Mesh. */
export function resolveRule(rule: AllowSyntax | DenySyntax, context: RuleContext): Rule {
  const { effect, namespace, registry, findings } = context;
  const from = resolveCallers(rule.from, namespace, registry, findings);
  const across = "across" in rule ? rule.across : undefined;
  const always = "always" in rule ? rule.always : undefined;
  checkAcross(across, context);
  checkReason(rule, context);
  const except = exceptOf(rule, context);
  return {
    effect,
    name: rule.name.value,
    ...(from === undefined ? {} : { from }),
    ...(rule.requests === undefined ? {} : { requests: rule.requests.value }),
    ...(rule.hosts === undefined ? {} : { hosts: rule.hosts.value.map(({ value }) => value) }),
    ...(rule.ports === undefined ? {} : { ports: rule.ports.value.map(({ value }) => value) }),
    headers: matchersOf(rule.headers),
    query: matchersOf(rule.query),
    ...(rule.jwt === undefined ? {} : { jwt: jwtOf(rule.jwt, context) }),
    ...(rule.notBefore === undefined ? {} : { notBefore: rule.notBefore.value }),
    ...(rule.notAfter === undefined ? {} : { notAfter: rule.notAfter.value }),
    ...(except === undefined ? {} : { except }),
    across: across?.value.map(({ value }) => value) ?? [],
    always: always?.value ?? false,
    ...(rule.reason === undefined ? {} : { reason: rule.reason.value }),
    ...(rule.review === undefined ? {} : { review: rule.review.value }),
    span: rule.span,
  };
}

function exceptOf(
  { except }: AllowSyntax | DenySyntax,
  { namespace, registry, findings }: RuleContext,
): Rule["except"] {
  if (except === undefined) return undefined;
  const from = resolveCallers(except.from, namespace, registry, findings);
  return {
    ...(from === undefined ? {} : { from }),
    ...(except.requests === undefined ? {} : { requests: except.requests.value }),
  };
}

function jwtOf(jwt: NonNullable<AllowSyntax["jwt"]>, { registry, findings }: RuleContext): JwtCondition {
  const known = [...registry.mesh.jwtProviders.keys()];
  const { value, span } = jwt.provider;
  if (registry.meshKnown && !known.includes(value)) {
    const close = nearest(value, known);
    const hint = close === undefined ? "add it to `jwtProviders` of the Mesh" : `did you mean \`${close}\`?`;
    findings.report("ERR_POLICY_UNKNOWN_PROVIDER", span, `the Mesh has no JWT provider \`${value}\``, hint);
  }
  return { provider: value, scopes: jwt.scopes?.value.map((one) => one.value) ?? [], claims: matchersOf(jwt.claims) };
}

function checkAcross(across: AllowSyntax["across"], { registry, findings }: RuleContext): void {
  if (!registry.meshKnown) return;
  for (const { value, span } of across?.value ?? []) {
    if (registry.mesh.isolate.includes(value)) continue;
    const close = nearest(value, registry.mesh.isolate);
    const hint = close === undefined ? "remove it: there is nothing to cross" : `did you mean \`${close}\`?`;
    findings.report("ERR_POLICY_ACROSS", span, `the Mesh does not isolate by \`${value}\``, hint);
  }
}

/** A deny that ends, or has yet to begin, leaves open by itself what it closes. */
function checkReason(rule: AllowSyntax | DenySyntax, { effect, findings }: RuleContext): void {
  const limit = rule.notAfter ?? rule.notBefore;
  if (effect === "allow" || limit === undefined || rule.reason !== undefined) return;
  findings.report(
    "ERR_POLICY_REASON",
    limit.span,
    "a deny with a time limit needs a `reason`: by itself it lets more through one day",
    "add `reason: …`",
  );
}
