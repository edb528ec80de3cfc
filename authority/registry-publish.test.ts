import { afterEach, expect, it } from "vitest";
import { GOOD_SET, type Harness, openHarness } from "./testing/harness.ts";

let harness: Harness;
afterEach(() => harness.close());

const NODE = {
  path: "node.yaml",
  text: "apiVersion: cellwall.dev/v1\nkind: Node\nmetadata: { name: host-9 }\nspec: { attest: [{ joinToken: {} }] }\n",
};

it("puts a registry in force that changes no bundle, and enters it in the audit trail", async () => {
  harness = await openHarness();
  await harness.authority.publish(GOOD_SET, "test");
  const dry = await harness.authority.publish([...GOOD_SET, NODE], "test", { dryRun: true });
  expect(dry.registry?.nodes.added).toEqual(["host-9"]);
  await expect(harness.ca.createJoinToken("host-9")).rejects.toMatchObject({ code: "ERR_CA_UNKNOWN_NODE" });
  const answer = await harness.authority.publish([...GOOD_SET, NODE], "test");
  expect(answer).toMatchObject({ published: false, registry: { nodes: { added: ["host-9"] } } });
  expect((await harness.authority.audit({ limit: 1 }))[0]).toMatchObject({ action: "publish", subject: "registry" });
  await harness.ca.createJoinToken("host-9");
  await harness.authority.publish([...GOOD_SET, NODE], "test");
  expect(await harness.authority.audit({ limit: 9 })).toHaveLength(2);
});

it("changes no workload by what only the authority reads of the mesh", async () => {
  harness = await openHarness();
  await harness.authority.publish(GOOD_SET, "test");
  const [mesh, ...others] = GOOD_SET;
  const text = mesh?.text.replace("spec: {", 'spec: { oidcDiscovery: { issuer: "https://id.shop.example" },') ?? "";
  const answer = await harness.authority.publish([{ path: "mesh.yaml", text }, ...others], "test");
  expect(answer.workloads.changed).toEqual([]);
  expect(harness.authority.jwtIssuer()).toBe("https://id.shop.example");
});
