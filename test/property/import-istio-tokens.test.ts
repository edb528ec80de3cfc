import { describe, expect, it } from "vitest";
import type { ImportOptions, RequestScope } from "../../policies/interop/index.ts";
import { isHonest, judge } from "../conformance/import-case.ts";
import { Random, runCount, runSeed } from "./random.ts";

// Istio's tests of tokens, whose claims are texts and lists of texts, against a restatement of its semantics that reads them as they are written.

interface When {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}
interface Source {
  readonly requestPrincipals?: readonly string[];
  readonly notRequestPrincipals?: readonly string[];
}
interface Rule {
  readonly from?: readonly { readonly source: Source }[];
  readonly to?: readonly { readonly operation: { readonly paths: readonly string[] } }[];
  readonly when?: readonly When[];
}
interface Policy {
  readonly action: "ALLOW" | "DENY";
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly rules: readonly Rule[];
}
type Payload = Readonly<Record<string, unknown>>;

const ISSUERS = ["https://one.example", "two@id.example"];
const PRINCIPALS = [
  "*",
  ...ISSUERS.flatMap((issuer) => [`${issuer}/*`, `${issuer}/ann`, `${issuer}/bo*`]),
  "*/ann",
  "two*",
  "*nn",
];
const VALUES = ["a", "b", "ab", "a*", "*b", "*"];
const KEYS = [
  "claims[groups]",
  "claims[iss]",
  "claims[sub]",
  "audiences",
  "presenter",
  "claims[deep][groups]",
  "principal",
];
const PATHS = ["/a", "/b/*", "*/c", "/d"];
const REQUESTS = ["/a", "/b/x", "/x/c", "/d", "/e"];

function valuesFor(key: string, random: Random): readonly string[] {
  if (key === "principal") return random.list(1, 2, () => random.pick(PRINCIPALS));
  if (key === "claims[iss]") return random.list(1, 2, () => random.pick([...ISSUERS, "https://*", "*"]));
  if (key === "claims[sub]") return random.list(1, 2, () => random.pick(["ann", "bob", "b*", "*"]));
  return random.list(1, 2, () => random.pick(VALUES));
}

function ruleOf(random: Random): Rule {
  const principals = (): readonly string[] => random.list(1, 2, () => random.pick(PRINCIPALS));
  const source: Source = random.chance(0.5)
    ? { requestPrincipals: principals(), ...(random.chance(0.2) ? { notRequestPrincipals: principals() } : {}) }
    : { notRequestPrincipals: principals() };
  const when = random.list(1, 2, (): When => {
    const key = random.pick(KEYS);
    const values = valuesFor(key, random);
    return { key: `request.auth.${key}`, ...(random.chance(0.35) ? { notValues: values } : { values }) };
  });
  return {
    ...(random.chance(0.6) ? { from: [{ source }] } : {}),
    ...(random.chance(0.6) ? { to: [{ operation: { paths: random.list(1, 2, () => random.pick(PATHS)) } }] } : {}),
    ...(random.chance(0.4) ? { when } : {}),
  };
}

function policiesOf(random: Random): readonly Policy[] {
  return random.list(1, 3, () => ({
    action: random.pick(["ALLOW", "DENY"] as const),
    labels: random.chance(0.5) ? { app: "called" } : undefined,
    rules: random.list(1, 2, () => ruleOf(random)),
  }));
}

function tokenOf(random: Random): Payload | undefined {
  if (random.chance(0.3)) return undefined;
  const list = (): unknown =>
    random.chance(0.5) ? random.pick(["a", "b", "ab"]) : random.list(1, 2, () => random.pick(["a", "b", "ab", "c"]));
  return {
    iss: random.pick(ISSUERS),
    ...(random.chance(0.9) ? { sub: random.pick(["ann", "bob", "eve"]) } : {}),
    aud: list(),
    ...(random.chance(0.6) ? { groups: list() } : {}),
    ...(random.chance(0.3) ? { azp: random.pick(["a", "b"]) } : {}),
    ...(random.chance(0.4) ? { deep: { groups: list() } } : {}),
  };
}

/** What Istio decides. `token` is absent where none was verified. */
function verdictOf(policies: readonly Policy[], path: string, token: Payload | undefined): "allow" | "deny" {
  const hits = (action: Policy["action"]): boolean =>
    policies.some((one) => one.action === action && one.rules.some((rule) => ruleMatches(rule, path, token)));
  if (hits("DENY")) return "deny";
  if (!policies.some(({ action }) => action === "ALLOW")) return "allow";
  return hits("ALLOW") ? "allow" : "deny";
}

function ruleMatches({ from, to, when = [] }: Rule, path: string, token: Payload | undefined): boolean {
  return (
    (from?.some(({ source }) => sourceMatches(source, token)) ?? true) &&
    (to?.some(({ operation }) => operation.paths.some((form) => textMatches(form, path))) ?? true) &&
    when.every(
      ({ key, values, notValues }) =>
        (values === undefined || valueMatches(key, values, token)) &&
        (notValues === undefined || !valueMatches(key, notValues, token)),
    )
  );
}

function sourceMatches({ requestPrincipals, notRequestPrincipals }: Source, token: Payload | undefined): boolean {
  const matches = (values: readonly string[]): boolean => valueMatches("request.auth.principal", values, token);
  return (
    (requestPrincipals === undefined || matches(requestPrincipals)) &&
    (notRequestPrincipals === undefined || !matches(notRequestPrincipals))
  );
}

function valueMatches(key: string, values: readonly string[], token: Payload | undefined): boolean {
  if (token === undefined) return false;
  if (key.endsWith(".principal")) return values.some((value) => principalMatches(value, token));
  const found =
    key === "request.auth.audiences"
      ? token.aud
      : key === "request.auth.presenter"
        ? token.azp
        : [...key.matchAll(/\[(.+?)\]/g)].reduce<unknown>(
            (inner, [, name = ""]) => (isRecord(inner) ? inner[name] : undefined),
            token,
          );
  const members: readonly unknown[] = Array.isArray(found) ? found : [found];
  return members.some((one) => typeof one === "string" && values.some((value) => textMatches(value, one)));
}

const isRecord = (value: unknown): value is Payload =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function principalMatches(value: string, { iss, sub }: Payload): boolean {
  if (typeof iss !== "string" || typeof sub !== "string") return false;
  const slash = value.lastIndexOf("/");
  const [issuer, subject] = slash === -1 ? [value, ""] : [value.slice(0, slash), value.slice(slash + 1)];
  if (value === "*") return iss !== "" && sub !== "";
  if (value.startsWith("*"))
    return slash === -1
      ? sub.endsWith(value.slice(1))
      : (issuer === "*" || iss.endsWith(issuer.slice(1))) && sub === subject;
  if (value.endsWith("*"))
    return slash === -1 ? iss.startsWith(value.slice(0, -1)) : iss === issuer && sub.startsWith(subject.slice(0, -1));
  return iss === issuer && sub === subject;
}

function textMatches(form: string, text: string): boolean {
  if (form === "*") return text !== "";
  if (form.startsWith("*")) return text.endsWith(form.slice(1));
  return form.endsWith("*") ? text.startsWith(form.slice(0, -1)) : text === form;
}

const OPTIONS: ImportOptions = {
  jwtProviders: ISSUERS.map((issuer, index) => ({
    name: index === 0 ? "one" : "two",
    issuer,
    audiences: ["any"],
    jwks: { inline: '{"keys":[]}' },
  })),
  workloads: [
    { namespace: "foo", name: "called", labels: { app: "called" } },
    { namespace: "foo", name: "caller", labels: {} },
  ],
};

function documentOf({ action, labels, rules }: Policy, index: number): unknown {
  const selector = labels === undefined ? {} : { selector: { matchLabels: labels } };
  return {
    kind: "AuthorizationPolicy",
    metadata: { name: `p${index}`, namespace: "foo" },
    spec: { action, ...selector, rules },
  };
}

/** Where tokens of an issuer are verified: at the workload called, in its namespace, or elsewhere. */
function authenticationsOf(
  random: Random,
): readonly { readonly issuer: string; readonly labels?: object; readonly here: boolean }[] {
  return ISSUERS.map((issuer) =>
    random.pick([
      { issuer, here: true },
      { issuer, labels: { app: "called" }, here: true },
      { issuer, labels: { app: "other" }, here: false },
    ]),
  );
}

function scopesOf(token: Payload | undefined): readonly RequestScope[] {
  if (token === undefined) return [];
  const values = Object.values(token).flatMap((value) => (isRecord(value) ? Object.values(value) : [value]));
  return ["token", ...(values.some(Array.isArray) ? (["list-claim"] as const) : [])];
}

describe("imported tests of tokens", () => {
  const seed = runSeed();

  it(`decide as Istio does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const claims = new Map<string, number>();
    for (let at = 0; at < runCount(150, 20_000); at++) {
      const policies = policiesOf(random);
      const placed = random.chance(0.4) ? authenticationsOf(random) : undefined;
      const [path, token] = [random.pick(REQUESTS), tokenOf(random)];
      const verified = placed === undefined || placed.some(({ issuer, here }) => here && issuer === token?.iss);
      const provider = token?.iss === ISSUERS[0] ? "one" : "two";
      const authentications = (placed ?? []).map(({ issuer, labels }, index) => ({
        kind: "RequestAuthentication",
        metadata: { name: `r${index}`, namespace: "foo" },
        spec: {
          ...(labels === undefined ? {} : { selector: { matchLabels: labels } }),
          jwtRules: [{ issuer, jwksUri: "https://x" }],
        },
      }));
      const judged = judge({
        id: `${seed}/${at}`,
        format: "istio",
        documents: [...authentications, ...policies.map(documentOf)],
        options: OPTIONS,
        request: {
          from: "foo/caller",
          to: "foo/called",
          request: `GET ${path}`,
          // A sidecar verifies tokens of every provider, wherever the source does.
          ...(token === undefined ? {} : { claims: { [provider]: token } }),
        },
        scopes: scopesOf(token),
        expected: verdictOf(policies, path, verified ? token : undefined),
      });
      if (!isHonest(judged))
        expect({ judged, policies: JSON.stringify(policies), placed, path, token }).toBe("an honest report");
      claims.set(judged.claim, (claims.get(judged.claim) ?? 0) + 1);
    }
    process.stdout.write(`istio tokens, random: ${JSON.stringify(Object.fromEntries(claims))}\n`);
    expect(claims.get("exact") ?? 0).toBeGreaterThan(10);
  });
});
