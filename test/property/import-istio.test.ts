import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { WitnessRequest } from "../../policies/findings/finding.ts";
import { importPolicies } from "../../policies/interop/index.ts";
import { attributesOfCase, claimsOf, optionsOf, type Scenario, scopesOf } from "../conformance/interop/istio-case.ts";
import {
  type IstioPolicy,
  type IstioRequest,
  type IstioRule,
  istioVerdict,
} from "../conformance/interop/istio-semantics.ts";
import { judge, setOf, verdictOf } from "../conformance/interop/judge.ts";
import { recordResult } from "../support/record-result.ts";
import { Random, runCount, runSeed } from "./random.ts";

// Random AuthorizationPolicies without tokens, imported, against a restatement of Istio's semantics.

const REQUESTS_A_SET = 8;
const DOMAINS = ["td1", "old-td"];
const CALLED = { namespace: "foo", serviceAccount: "called", labels: { app: "called", version: "v1" } };
const PRINCIPALS = [
  ...["td1/ns/foo/sa/web", "td1/ns/foo/sa/web.x", "td1/ns/foo-bar/sa/web", "td1/ns/bar/sa/job", "td1/ns/bar/sa/web"],
  ...["old-td/ns/foo/sa/web", "other/ns/foo/sa/web", "other/ns/bar/sa/job", "other/x/y"],
];
const PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/x/a", "/x/a.txt", "/a/x/b", "/a/b?q=1", "/A", "/a%20b"];
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const HOSTS = ["a.example", "A.example", "b.example", "a.example.org", "example", "a.example:8080"];
const IPS = ["10.1.2.3", "10.1.9.9", "192.0.2.1"];
const HEADER_VALUES = ["v", "vw", "w", "", "v,w", "V"];

const FORMS: Readonly<Record<string, readonly string[]>> = {
  principals: [
    ...PRINCIPALS,
    ...[
      "cluster.local/ns/foo/sa/web",
      "*",
      "td1/*",
      "td1/ns/foo/*",
      "*/sa/web",
      "*/ns/bar/sa/job",
      "*/web",
      "*td/ns/foo/sa/web",
    ],
    ...["td1/ns/*/sa/web", "td1/ns/foo/sa/*", "td1/ns/foo", "td*", "*eb"],
  ],
  namespaces: ["foo", "bar", "foo*", "*", "*ar", "f*o", "fo"],
  serviceAccounts: ["web", "foo/web", "bar/job", "foo/web.x", "foo/webyx", "we"],
  ipBlocks: ["10.1.0.0/16", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0", "192.0.2.0/24", "::1"],
  hosts: ["a.example", "A.EXAMPLE", "*", "a.*", "*.example", "*.example:*", "example", "a.example:8080", "a.example:*"],
  ports: ["8080", "9090", "1"],
  methods: ["GET", "POST", "*", "P*", "*T", "HEAD", "get"],
  paths: [
    ...["/a", "/a/*", "/a*", "/*", "*", "*/a", "*.txt", "/a/b", "/a/", "*b", "/a/*/b", "*/", "/"],
    ...["/a/{*}", "/a/{**}", "/{*}/a", "/{**}/b", "/a/{*}/b", "/{*}/{**}", "/{**}", "/x/{*}"],
  ],
  "request.headers[x-a]": ["v", "v*", "*w", "*", "V", "*v"],
  "request.headers[X-B]": ["v", "*"],
};

const SAME_AS: Readonly<Record<string, string>> = {
  "source.principal": "principals",
  "source.namespace": "namespaces",
  "source.ip": "ipBlocks",
  "destination.port": "ports",
};

function listsOf(random: Random, names: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const chosen = random.list(1, 2, () => random.pick(names));
  const unlike = chosen.includes("serviceAccounts")
    ? chosen.filter((name) => name !== "principals" && name !== "namespaces")
    : chosen;
  return Object.fromEntries(
    unlike.map((name) => {
      const values = random.list(1, 2, () => random.pick(FORMS[name] ?? []));
      return [random.chance(0.35) ? `not${name.charAt(0).toUpperCase()}${name.slice(1)}` : name, values];
    }),
  );
}

function ruleOf(random: Random): IstioRule {
  const sources = ["principals", "namespaces", "ipBlocks", "principals", "namespaces", "serviceAccounts"];
  const keys = [...Object.keys(SAME_AS), "request.headers[x-a]", "request.headers[X-B]"];
  const condition = () => {
    const key = random.pick(keys);
    const values = random.list(1, 2, () => random.pick(FORMS[SAME_AS[key] ?? key] ?? []));
    return { key, ...(random.chance(0.4) ? { notValues: values } : { values }) };
  };
  return {
    ...(random.chance(0.6) ? { from: random.list(1, 2, () => ({ source: listsOf(random, sources) })) } : {}),
    ...(random.chance(0.7)
      ? {
          to: random.list(1, 2, () => ({
            operation: listsOf(random, ["hosts", "ports", "methods", "paths", "paths"]),
          })),
        }
      : {}),
    ...(random.chance(0.35) ? { when: random.list(1, 2, condition) } : {}),
  };
}

interface Written extends IstioPolicy {
  readonly labels: Readonly<Record<string, string>> | undefined;
}

function policyOf(random: Random): Written {
  const namespace = random.pick(["foo", "foo", "foo", "istio-system", "bar"]);
  const labels = random.pick([undefined, undefined, { app: "called" }, { app: "called", version: "v2" }]);
  const action = random.pick(["ALLOW", "ALLOW", "DENY"] as const);
  const rules = random.list(action === "ALLOW" ? 0 : 1, 2, () => (random.chance(0.05) ? {} : ruleOf(random)));
  const selects = namespace !== "bar" && labels?.version === undefined;
  return { namespace, labels, action, rules, selects };
}

function documentOf({ namespace, labels, action, rules }: Written, index: number): unknown {
  const selector = labels === undefined ? {} : { selector: { matchLabels: labels } };
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: `p${index}`, namespace },
    spec: { ...(action === "ALLOW" ? {} : { action }), ...selector, ...(rules.length === 0 ? {} : { rules }) },
  };
}

function requestOf(random: Random): IstioRequest {
  const headers: Record<string, readonly string[]> = {};
  if (random.chance(0.6)) headers["x-a"] = random.list(1, random.chance(0.2) ? 2 : 1, () => random.pick(HEADER_VALUES));
  if (random.chance(0.3)) headers["x-b"] = ["v"];
  return {
    transport: random.chance(0.12) ? "tcp" : "http",
    principal: random.chance(0.08) ? null : random.pick(PRINCIPALS),
    ip: random.pick(IPS),
    port: random.pick([8080, 9090]),
    method: random.pick(METHODS),
    path: random.pick(PATHS),
    host: random.pick(HOSTS),
    headers,
  };
}

function scenarioOf(policies: readonly Written[], requests: readonly IstioRequest[]): Scenario {
  return {
    scenario: "random",
    mesh: { rootNamespace: "istio-system", trustDomain: DOMAINS[0] ?? "", trustDomainAliases: DOMAINS.slice(1) },
    workload: CALLED,
    policies: policies.map(documentOf),
    cases: requests.map((request, at) => ({
      id: `${at}`,
      input: {
        request: {
          ...request,
          source: { principal: request.principal, ip: request.ip },
          destination: { ip: "10.0.0.5", port: request.port },
        },
      },
      expected: istioVerdict(policies, request, DOMAINS),
    })),
  };
}

/** What is compared in another way may be let through although no request was found that shows it. */
function mayBeWider({ host = "", headers = {} }: Scenario["cases"][number]["input"]["request"]): boolean {
  return host.includes(":") || Object.values(headers).some((list) => list.length > 1 || list.join("").includes(","));
}

/** A counter-example, which is an HTTP request of the called workload, as Istio gets it. */
function asSent(
  { from, request, headers = {}, host, port, address }: WitnessRequest,
  identities: ReadonlyMap<string, string>,
): IstioRequest {
  const [method = "", path = ""] = request.split(" ");
  return {
    transport: "http",
    principal: from === "anonymous" ? null : (identities.get(from) ?? from).replace("spiffe://", ""),
    ip: address ?? "",
    port: port ?? 0,
    method,
    path,
    host: host ?? "",
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
  };
}

describe("imported AuthorizationPolicies", () => {
  const seed = runSeed();

  it(`decide as Istio does where the report says exact, allow more only where it says wider, with a request that shows it (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const sets = runCount(50, 20_000);
    const met = new Map<string, number>();
    const count = (what: string): void => void met.set(what, (met.get(what) ?? 0) + 1);
    for (let at = 0; at < sets; at++) {
      const policies = random.list(1, 3, () => policyOf(random));
      const scenario = scenarioOf(
        policies,
        random.list(REQUESTS_A_SET, REQUESTS_A_SET, () => requestOf(random)),
      );
      const options = optionsOf(scenario, CALLED);
      const text = scenario.policies.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n");
      const { documents, report } = importPolicies("istio", [{ path: "istio.yaml", text }], options);
      const set = setOf(documents);
      const to = options.workloads?.[0]?.identity ?? "";
      const show = (about: unknown): string =>
        `set ${at}: ${JSON.stringify(about)}\n${text}\n${documents}\n${report.entries.map((one) => JSON.stringify(one)).join("\n")}`;
      for (const { input, expected } of scenario.cases) {
        const decision = verdictOf(set, attributesOfCase(input.request, to, claimsOf(input.request, options)));
        const outcome = judge(decision, expected, report, scopesOf(input.request, options));
        const unshown = outcome === "wrong" && expected === "deny" && mayBeWider(input.request);
        count(unshown ? "unshown" : `${outcome} ${expected}`);
        if (!unshown) expect(outcome, show([input.request, expected, decision.reason])).not.toBe("wrong");
      }
      const identities = new Map(
        set.workloads.map((one) => [`${one.namespace}/${one.name}`, one.identity.toString()] as const),
      );
      for (const { counterExample } of report.entries.filter((one) => one.counterExample?.to === "foo/called")) {
        if (counterExample === undefined) continue;
        count("counter-example");
        expect(istioVerdict(policies, asSent(counterExample, identities), DOMAINS), show(counterExample)).toBe("deny");
      }
    }
    process.stdout.write(`istio, random: ${JSON.stringify(Object.fromEntries(met))}\n`);
    expect(met.get("unshown") ?? 0).toBeLessThanOrEqual(2 + sets / 50);
    expect(met.get("exact allow") ?? 0).toBeGreaterThan(sets);
    expect(met.get("exact deny") ?? 0).toBeGreaterThan(sets);
    recordResult("import-istio", { seed, sets, disagreements: 0, met: Object.fromEntries(met) });
  });
});
