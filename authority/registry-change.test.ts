import { describe, expect, it } from "vitest";
import { type PolicySet, parseDocuments, resolve } from "../policies/index.ts";
import { changesRegistry, registryChange } from "./registry-change.ts";

const node = (name: string, pool: string, attest = "{ joinToken: {} }") => `---
apiVersion: cellwall.dev/v1
kind: Node
metadata: { name: ${name}, labels: { pool: ${pool} } }
spec: { attest: [${attest}] }
`;
const workload = (name: string, spec: string) => `---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;
function set(...texts: readonly string[]): PolicySet {
  const mesh = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
`;
  const { documents, diagnostics } = parseDocuments([{ path: "a.yaml", text: mesh + texts.join("") }]);
  const resolved = resolve(documents, { diagnostics });
  expect(resolved.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return resolved;
}
const on = (pool: string) => `{ runsOn: { labels: { pool: ${pool} } } }`;
const id = (name: string) => `spiffe://shop.example/shop/${name}`;
const EMPTY = { added: [], removed: [], reissued: [] };

const hosts = [node("a-1", "apps"), node("a-2", "apps"), node("d-1", "data")];
const before = set(
  ...hosts,
  workload("web", on("apps")),
  workload("db", on("data")),
  workload("old", "{ runsOn: { node: d-1 } }"),
);

describe("a change of the registry", () => {
  it("is nothing where nothing changes for nodes and identities", () => {
    const same = set(
      ...hosts,
      workload("old", "{ runsOn: { node: d-1 }, mode: monitor }"),
      workload("web", on("apps")),
      workload("db", on("data")),
    );
    expect(changesRegistry(registryChange(before, same))).toBe(false);
    expect(registryChange(before, same)).toEqual({
      nodes: { added: [], removed: [], changed: [] },
      identities: EMPTY,
    });
  });

  it("is everything where there was nothing", () => {
    const { nodes, identities } = registryChange(undefined, before);
    expect(changesRegistry({ nodes, identities })).toBe(true);
    expect(nodes).toEqual({ added: ["a-1", "a-2", "d-1"], removed: [], changed: [] });
    expect(identities.added).toEqual([
      { identity: id("db"), nodes: ["d-1"] },
      { identity: id("old"), nodes: ["d-1"] },
      { identity: id("web"), nodes: ["a-1", "a-2"] },
    ]);
  });

  it("tells which identities go, move and change their name, and where to", () => {
    const after = set(
      ...hosts,
      node("a-3", "apps"),
      workload("web", on("apps")),
      workload("db", `{ identity: ${id("postgres")}, runsOn: { labels: { pool: data } } }`),
      workload("new", "{ runsOn: { node: a-1 } }"),
    );
    expect(registryChange(before, after).identities).toEqual({
      added: [{ identity: id("new"), nodes: ["a-1"] }],
      removed: [{ identity: id("old"), nodes: ["d-1"] }],
      reissued: [
        { identity: id("postgres"), was: id("db"), gains: ["d-1"], loses: [] },
        { identity: id("web"), gains: ["a-3"], loses: [] },
      ],
    });
  });

  it("tells that a node's labels take identities away, and that it proves itself in another way", () => {
    const oidc = '{ oidc: { issuer: "https://ci.example", audience: cellwall, claims: { sub: x } } }';
    const workloads = [
      workload("web", on("apps")),
      workload("db", on("data")),
      workload("old", "{ runsOn: { node: d-1 } }"),
    ];
    const after = set(node("a-1", "apps", oidc), node("a-2", "spare"), node("d-1", "data"), ...workloads);
    expect(registryChange(before, after)).toEqual({
      nodes: {
        added: [],
        removed: [],
        changed: [
          { node: "a-1", what: ["attest"] },
          { node: "a-2", what: ["labels"] },
        ],
      },
      identities: { ...EMPTY, reissued: [{ identity: id("web"), gains: [], loses: ["a-2"] }] },
    });
  });

  it("counts the node of this process, which runs what has no `runsOn`", () => {
    const after = set(workload("web", "{ mode: enforce }"));
    expect(registryChange(undefined, after, "local").identities.added).toEqual([
      { identity: id("web"), nodes: ["local"] },
    ]);
    expect(registryChange(undefined, after).identities.added).toEqual([{ identity: id("web"), nodes: [] }]);
  });
});
