import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { attributesOf } from "../../policies/findings/index.ts";
import { importPolicies } from "../../policies/interop/index.ts";
import {
  attributesOfCase,
  claimsOf,
  optionsOf,
  type Scenario,
  type SourceWorkload,
  scopesOf,
} from "./interop/istio-case.ts";
import { judge, setOf, TABLE_HEAD, Tally, verdictOf } from "./interop/judge.ts";

const folder = new URL("../vectors/istio/", import.meta.url);
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => parse(readFileSync(new URL(name, folder), "utf8")) as Scenario);

/** SNI, addresses beyond the connection's peer, and tokens: what the bar leaves out. */
const LEFT_OUT = /connection\.sni|remoteIpBlocks|notRemoteIpBlocks|remote\.ip|destination\.ip/i;
const OF_TOKENS = /requestPrincipals|notRequestPrincipals|request\.auth/i;

function tallyOf({ policies }: Scenario): Tally {
  const text = JSON.stringify(policies);
  if (LEFT_OUT.test(text)) return others;
  return OF_TOKENS.test(text) ? tokens : free;
}

const [free, tokens, others] = [new Tally(), new Tally(), new Tally()];

describe("Istio AuthorizationPolicies", () => {
  for (const scenario of scenarios) {
    const imports = new Map<string, ReturnType<typeof prepare>>();
    const prepare = (called: SourceWorkload) => {
      const options = optionsOf(scenario, called);
      const text = scenario.policies.map((policy) => stringify(policy, { aliasDuplicateObjects: false })).join("---\n");
      const { documents, report } = importPolicies("istio", [{ path: "istio.yaml", text }], options);
      return { options, documents, report, set: setOf(documents) };
    };
    const prepared = (called: SourceWorkload) => {
      const key = JSON.stringify(called);
      const found = imports.get(key) ?? prepare(called);
      imports.set(key, found);
      return found;
    };

    it.each(scenario.cases.map((one) => [one.id, one] as const))("%s", (_id, { input, expected }) => {
      const called = input.workload ?? scenario.workload;
      const { options, report, set, documents } = prepared(called);
      const destination = options.workloads?.[0]?.identity ?? "";
      const decision = verdictOf(set, attributesOfCase(input.request, destination, claimsOf(input.request, options)));
      const outcome = judge(decision, expected, report, scopesOf(input.request, options));
      tallyOf(scenario).add(outcome);
      expect(outcome, `${decision.reason} ${decision.line ?? ""}\n${documents}`).not.toBe("wrong");
    });

    it(`${scenario.scenario}: every "wider" carries a request that is allowed`, () => {
      const { report, set } = prepared(scenario.workload);
      for (const { fidelity, counterExample, construct } of report.entries) {
        expect(counterExample === undefined, construct).toBe(fidelity !== "wider");
        if (counterExample === undefined) continue;
        const decision = verdictOf(set, attributesOf(counterExample, set, { now: new Date() }));
        expect(decision.verdict, `${construct} ${JSON.stringify(counterExample)}`).toBe("allow");
      }
    });
  }

  it("imports at least 95 % of the cases free of SNI, remote and destination address and token exactly", () => {
    expect(free.cases).toBeGreaterThan(100);
    expect(free.exactShare).toBeGreaterThanOrEqual(0.95);
  });

  it("imports at least 90 % of the cases with tokens exactly", () => {
    expect(tokens.cases).toBeGreaterThan(0);
    expect(tokens.exactShare).toBeGreaterThanOrEqual(0.9);
  });
});

afterAll(() => {
  console.log(
    [TABLE_HEAD, free.row("istio"), tokens.row("istio, tokens"), others.row("istio, SNI and addresses")].join("\n"),
  );
});
