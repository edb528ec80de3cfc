import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import { attributesOf, witnessOf } from "../findings/index.ts";
import { allow, doc, guardrail, mesh, NOW } from "../guardrails/testing/mesh.ts";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "../syntax/parse-documents.ts";
import { broadens } from "./broadens.ts";
import { checkTeams } from "./check-teams.ts";

const team = (name: string, spec: object = {}): string =>
  doc(
    "Team",
    name,
    {
      namespaces: [name],
      publishers: [
        { oidc: { issuer: "https://ci.example", audience: "cellwall", claims: { repository: `acme/${name}` } } },
      ],
      ...spec,
    },
    { namespace: undefined },
  );

const PLATFORM = [
  ...mesh({ web: {}, orders: {} }),
  team("orders", { mayRegister: ["spiffe://shop.example/orders/**"], mayLabel: ["app", "version"] }),
  team("billing", { mayRegister: ["spiffe://shop.example/billing/**"] }),
];

function judge(source: string, ...own: readonly string[]): readonly (readonly [string, string])[] {
  const files = [
    { path: "platform.yaml", text: PLATFORM.join("\n---\n") },
    { path: "own.yaml", text: own.join("\n---\n") },
  ];
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const isOfSource = ({ span }: { readonly span: { readonly file: string } }): boolean => span.file === "own.yaml";
  return checkTeams({ documents, set, source, isOfSource }).map(({ id, message }) => [id, message]);
}

const workload = (namespace: string, labels: object = {}, spec: object = { mode: "enforce" }, name = "api"): string =>
  doc("Workload", name, spec, { namespace, ...(Object.keys(labels).length === 0 ? {} : { labels }) });

describe("checkTeams", () => {
  it("lets a team publish policies, tests and workloads of its grant", () => {
    const test = doc(
      "PolicyTest",
      "t",
      { to: "api", cases: [{ from: "api", request: "GET /", expect: "deny" }] },
      { namespace: "orders" },
    );
    const policy = doc(
      "AccessPolicy",
      "p",
      { protects: { workload: "api" }, deny: [{ name: "all" }] },
      { namespace: "orders" },
    );
    expect(judge("orders", workload("orders", { app: "api", version: "2" }), policy, test)).toEqual([]);
  });

  it("refuses another namespace, naming its owner", () => {
    const [[id, message] = []] = judge("orders", workload("billing"));
    expect([id, message]).toEqual([
      "team-namespace",
      "the Workload `billing/api` is in the namespace `billing`, which is the team `billing`'s, not the team `orders`'s",
    ]);
    expect(judge("orders", workload("mesh"))[0]?.[1]).toContain("which is the platform's");
  });

  it("refuses an identity that the team may not register, whoever's it is, and any where it may register none", () => {
    const foreign = workload("orders", {}, { identity: "spiffe://shop.example/billing/x" });
    expect(judge("orders", foreign)).toEqual([
      ["team-identity", expect.stringContaining("which is the team `billing`'s to register")],
    ]);
    const own = workload("orders", {}, { identity: "spiffe://shop.example/ordersx/api" });
    expect(judge("orders", own)).toEqual([
      ["team-identity", expect.stringContaining("which is the platform's to register")],
    ]);
  });

  it("refuses labels of the platform, set or taken away", () => {
    expect(judge("orders", workload("orders", { env: "prod", app: "x" })).map(([id]) => id)).toEqual(["team-label"]);
    expect(judge("billing", workload("billing", { app: "x" })).map(([id]) => id)).toEqual(["team-label"]);
    const take =
      "apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: api, namespace: orders, labels: { env: null, app: x } }\nspec: { mode: enforce }";
    expect(judge("orders", `${workload("orders")}\n---\n${take}`).map(([id]) => id)).toEqual(["team-label"]);
  });

  it.each([
    ["Mesh", doc("Mesh", "shop", { defaultMode: "monitor" })],
    ["Node", doc("Node", "n", { attest: [{ joinToken: {} }] }, { namespace: undefined })],
    ["Team", team("orders-friends")],
    ["Guardrail", guardrail({ only: [{ from: { namespace: "orders" }, to: { namespace: "orders" } }] })],
  ])("refuses a %s", (_, text) => {
    expect(judge("orders", text).map(([id]) => id)).toEqual(["team-kind"]);
  });

  it("does not let a team widen its own grant", () => {
    const own = team("orders", { namespaces: ["orders", "shop"] });
    const files = [
      { path: "own.yaml", text: [own, workload("shop")].join("\n---\n") },
      { path: "platform.yaml", text: PLATFORM.join("\n---\n") },
    ];
    const { documents, diagnostics } = parseDocuments(files);
    const set = resolve(documents, { diagnostics });
    const isOfSource = ({ span }: { readonly span: { readonly file: string } }): boolean => span.file === "own.yaml";
    expect(checkTeams({ documents, set, source: "orders", isOfSource }).map(({ id }) => id)).toEqual([
      "team-kind",
      "team-namespace",
    ]);
  });

  it("judges no source that is no team's", () => {
    expect(judge("platform", workload("billing", { env: "x" }))).toEqual([]);
  });
});

describe("broadens", () => {
  const published = (...texts: readonly (string | readonly string[])[]) => {
    const { documents, diagnostics } = parseDocuments([{ path: "m.yaml", text: texts.flat().join("\n---\n") }]);
    return { documents, set: resolve(documents, { diagnostics }) };
  };
  const base = mesh({ web: {}, orders: {}, cards: {} });
  const change = (before: readonly string[], after: readonly string[], more: readonly string[] = base) =>
    broadens(published(more, before), published(more, after), { now: NOW });

  it("is true for a line more, with a request that shows it", () => {
    const found = change([], [allow("orders", ["web"])]);
    expect(found?.why).toBe("`shop/web` may call `spiffe://shop.example/shop/orders` as it could not before");
    const after = published(base, allow("orders", ["web"]));
    const witness = found?.example && witnessOf(found.example, after.set);
    expect(witness && decide(compile(after.set), attributesOf(witness, after.set, { now: NOW })).verdict).toBe("allow");
  });

  it("is false for the same, for less, and for what others allow anyway", () => {
    expect(change([allow("orders", ["web"])], [allow("orders", ["web"])])).toBeUndefined();
    expect(change([allow("orders", ["web"])], [])).toBeUndefined();
    expect(
      change([allow("orders", ["web"])], [allow("orders", ["web"], { requests: ["GET /a/{id:int}"] })]),
    ).toBeUndefined();
    expect(
      change([allow("orders", ["web"])], [allow("orders", ["web"], { requests: ["GET /a/{x}", "GET /a/1"] })]),
    ).toBeUndefined();
  });

  it("is true for a deny less, and for monitor mode", () => {
    const denied = allow("orders", ["web"], {}, { deny: [{ name: "no", requests: ["GET /a/1"] }] });
    expect(change([denied], [allow("orders", ["web"])])).toBeDefined();
    expect(
      broadens(published(base), published(mesh({ web: {}, orders: { mode: "monitor" }, cards: {} })), { now: NOW }),
    ).toBeDefined();
  });

  it("is true for a guardrail less or changed, a grant changed, a node more, and another place to run", () => {
    const never = guardrail({ never: [{ from: { workload: "shop/web" }, to: { workload: "shop/cards" } }] });
    expect(change([never], [])?.why).toBe("the Guardrail `mesh/g` is changed or removed");
    expect(change([], [never])).toBeUndefined();
    expect(change([team("orders")], [team("orders", { mayLabel: ["env"] })])?.why).toContain("the Team `orders`");
    expect(change([], [doc("Node", "n", { attest: [{ joinToken: {} }] }, { namespace: undefined })])?.why).toContain(
      "the Node `n`",
    );
    const place = (node: string) => doc("Workload", "orders", { runsOn: { labels: { pool: node } } });
    expect(change([place("a")], [place("b")])?.why).toContain("can be obtained elsewhere");
  });

  it("is true where nobody need approve any longer", () => {
    const approvals = (spec: object) => published(mesh({ web: {} }, spec));
    expect(broadens(approvals({ approvals: { changes: "all" } }), approvals({}), { now: NOW })?.why).toBe(
      "who must approve changes",
    );
  });
});
