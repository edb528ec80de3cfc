import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MESHES, meshFolder, meshSides } from "../../compose/index.ts";
import { containerSet } from "../demo/index.ts";
import { composeFile } from "./compose-file.ts";

interface Service {
  readonly image: string;
  readonly user: string;
  readonly network_mode?: string;
  readonly networks?: readonly string[];
  readonly volumes: readonly string[];
  readonly cap_drop: readonly string[];
  readonly profiles?: readonly string[];
}

describe.each(MESHES)("the compose file of the %s", (mesh) => {
  const sides = meshSides(mesh).map((side) => ({ namespace: side.namespace, set: containerSet(side) }));
  const workloads = sides.flatMap(({ set }) => set.workloads);
  const prefixes = sides.length === 1 ? [""] : sides.map(({ namespace }) => `${namespace}-`);
  const prefixOf = (namespace: string): string => (sides.length === 1 ? "" : `${namespace}-`);
  const text = composeFile(mesh, sides);
  const services: ReadonlyMap<string, Service> = new Map(
    Object.entries(parse(text, { merge: true, maxAliasCount: -1 }).services),
  );
  const service = (name: string): Service => {
    const found = services.get(name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  };

  it("is what the mesh's documents say; `vitest --update` writes it", async () => {
    const findings = sides.flatMap(({ set }) => set.diagnostics);
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    await expect(text).toMatchFileSnapshot(join(meshFolder(mesh), "compose.yaml"));
  });

  it("gives each workload a user of its own, and its sidecar that user and its network", () => {
    const users = workloads.map(({ name }) => service(name).user);
    expect(new Set(users).size).toBe(users.length);
    for (const { name } of workloads) {
      expect(service(`${name}-sidecar`)).toMatchObject({
        user: service(name).user,
        network_mode: `service:${name}`,
        image: expect.stringMatching(/^envoyproxy\/envoy:v\d/),
      });
      expect(service(name)).not.toHaveProperty("network_mode");
    }
  });

  it("mounts a workload's agent sockets into the agent and its own sidecar, and into one app: the one that was taken over", () => {
    for (const { namespace, name } of workloads) {
      const holders = [...services].filter(([, { volumes }]) =>
        volumes.some((each) => each.startsWith(`${name}-agent:`)),
      );
      const taken = ["intruder", "adservice", "helpdesk"].includes(name) ? [name] : [];
      expect(holders.map(([holder]) => holder).sort()).toEqual(
        [`${prefixOf(namespace)}agent`, ...taken, `${name}-sidecar`].sort(),
      );
    }
  });

  it("shares an app's sockets with its sidecar, and beside it only with what plays the attack", () => {
    for (const { name } of workloads) {
      const holders = [...services].filter(([, { volumes }]) =>
        volumes.some((each) => each.startsWith(`${name}-app:`)),
      );
      expect(holders.map(([holder]) => holder).sort()).toEqual(["attack", name, `${name}-sidecar`].sort());
    }
    expect(service("attack").profiles).toEqual(["attack"]);
  });

  it("keeps workloads off the network of authority and agent, and drops every capability", () => {
    for (const { name } of workloads)
      for (const network of service(name).networks ?? []) expect(["mesh", "outside"]).toContain(network);
    for (const prefix of prefixes) {
      const border = prefix === "" ? [] : ["border"];
      expect(service(`${prefix}authority`).networks).toEqual([`${prefix}control`, ...border]);
      expect(service(`${prefix}agent`).networks).toEqual([`${prefix}control`]);
    }
    for (const [name, { cap_drop }] of services) expect([name, cap_drop]).toEqual([name, ["ALL"]]);
  });
});
