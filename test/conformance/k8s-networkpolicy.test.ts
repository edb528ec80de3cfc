import { afterAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type ImportWorkload, importPolicies } from "../../policies/interop/index.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { judge, setOf, TABLE_HEAD, Tally, verdictOf } from "./interop/judge.ts";
import { rows } from "./rows.ts";

interface Pod {
  readonly ns: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Row {
  readonly id: string;
  readonly input: {
    readonly policies: readonly unknown[];
    readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly source: Pod;
    readonly destination: Pod;
    readonly port: number;
    readonly protocol: string;
  };
  readonly expected: "allow" | "deny";
}

const cases = rows<Row>("k8s-networkpolicy/truth.jsonl");

/** All pods of the table, which are the registry of each case; a case's own labels win. */
function podsOf({ input }: Row): readonly ImportWorkload[] {
  const pods = new Map(
    [...cases.flatMap((row) => [row.input.source, row.input.destination]), input.source, input.destination].map(
      (pod) => [pod.name, pod] as const,
    ),
  );
  return [...pods.values()].map(({ ns, name, labels }) => ({
    namespace: ns,
    name: name.split("/").at(-1) ?? name,
    labels,
  }));
}

const identityOf = ({ ns, name }: Pod) => parseSpiffeId(`spiffe://cluster.local/ns/${ns}/sa/${name.split("/").at(-1)}`);

const tally = new Tally();

describe("Kubernetes NetworkPolicies", () => {
  it.each(cases.map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const { policies, namespaces, source, destination, port, protocol } = row.input;
    const text = policies.map((policy) => stringify(policy, { aliasDuplicateObjects: false })).join("---\n");
    const { documents, report } = importPolicies("kubernetes", [{ path: "np.yaml", text }], {
      namespaces,
      workloads: podsOf(row),
    });
    const decision = verdictOf(setOf(documents), {
      caller: identityOf(source),
      destination: identityOf(destination),
      listener: { port, kind: "mesh" },
      peerAddress: "10.0.0.1",
      tcp: {},
      now: new Date(),
    });
    const outcome = judge(decision, row.expected, report, (scope, subject) => {
      if (scope === "egress") return subject === source.name;
      return scope === "connection" || (scope === "datagram" && protocol !== "TCP");
    });
    tally.add(outcome);
    expect(outcome, `${decision.reason}\n${documents}`).not.toBe("wrong");
  });

  it("imports at least 95 % of the cases exactly", () => {
    expect(tally.cases).toBe(cases.length);
    expect(tally.exactShare).toBeGreaterThanOrEqual(0.95);
  });
});

afterAll(() => {
  console.log([TABLE_HEAD, tally.row("k8s-networkpolicy")].join("\n"));
});
