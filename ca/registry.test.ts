import { describe, expect, it } from "vitest";
import type { Matcher } from "../policies/index.ts";
import { registryOf } from "./registry.ts";
import { listen, node, policySet, workload } from "./testing/policy-set.ts";

const labels = (map: Readonly<Record<string, Matcher>>) => ({ labels: new Map(Object.entries(map)) });

describe("registry", () => {
  const apps = node("host-1", { pool: "apps", zone: "eu-1" });
  const admit = (map: Readonly<Record<string, Matcher>>) => {
    const web = workload("web", { runsOn: labels(map) });
    return registryOf(policySet([web], [apps])).admit(apps, web);
  };

  it.each<[Matcher, boolean]>([
    [{ kind: "equals", value: "apps" }, true],
    [{ kind: "equals", value: "app" }, false],
    [{ kind: "in", values: ["db", "apps"] }, true],
    [{ kind: "in", values: [] }, false],
    [{ kind: "not", value: "db" }, true],
    [{ kind: "not", value: "apps" }, false],
    [{ kind: "notIn", values: ["db"] }, true],
    [{ kind: "notIn", values: ["apps"] }, false],
    [{ kind: "prefix", value: "ap" }, true],
    [{ kind: "suffix", value: "ps" }, true],
    [{ kind: "suffix", value: "pp" }, false],
    [{ kind: "present" }, true],
    [{ kind: "absent" }, false],
    [{ kind: "contains", value: "pp" }, false],
    [{ kind: "has", value: "apps" }, false],
  ])("tests a label that is there: %j is %s", (matcher, ok) => {
    expect(admit({ pool: matcher }).ok).toBe(ok);
  });

  it.each<[Matcher, boolean]>([
    [{ kind: "absent" }, true],
    [{ kind: "present" }, false],
    [{ kind: "not", value: "x" }, false],
    [{ kind: "notIn", values: ["x"] }, false],
    [{ kind: "equals", value: "" }, false],
  ])("a label that is not there satisfies `absent` alone: %j is %s", (matcher, ok) => {
    expect(admit({ gpu: matcher }).ok).toBe(ok);
    expect(admit({ constructor: matcher }).ok).toBe(ok);
  });

  it("demands every label, and says which one is missing and what is there instead", () => {
    const both = { zone: { kind: "equals", value: "eu-1" }, pool: { kind: "in", values: ["db", "cache"] } } as const;
    expect(admit(both)).toEqual({
      ok: false,
      reason: "the workload runs on nodes with `pool in db|cache`; node `host-1` has `pool=apps`",
    });
    expect(admit({ pool: { kind: "equals", value: "apps" } })).toEqual({ ok: true, evidence: "runsOn pool=apps" });
  });

  it("admits a workload with `runsOn: node` to that node alone", () => {
    const web = workload("web", { runsOn: { node: "host-2" } });
    const registry = registryOf(policySet([web], [apps, node("host-2")]));
    expect(registry.admit(apps, web).ok).toBe(false);
    expect(registry.admit(node("host-2"), web).ok).toBe(true);
  });

  it("admits a workload without `runsOn` to the local node alone, which no document needs to name", () => {
    const web = workload("web");
    const registry = registryOf(policySet([web], [apps]), "here");
    const here = registry.node("here");
    expect(registry.admit(apps, web).ok).toBe(false);
    expect(here && registry.admit(here, web).ok).toBe(true);
    expect(registryOf(policySet([web], [apps])).node("here")).toBeUndefined();
  });

  it("the local node gets no workload whose `runsOn` does not select it", () => {
    const registry = registryOf(
      policySet([workload("web", { runsOn: { node: "host-1" } }), workload("db")], [apps]),
      "here",
    );
    expect(registry.workloadsOf("here").workloads.map((one) => one.name)).toEqual(["db"]);
  });

  it("tells an agent the uid of each socket the ports whose app speaks first, and where to try a handshake", () => {
    const sidecar = {
      address: "db.shop",
      listens: [
        listen(5432, { protocol: "tcp", speaksFirst: "server" }),
        listen(6000, { protocol: "tcp" }),
        listen(80),
      ],
      calls: [],
      keepOverrideHeaders: [],
      checkHeaders: [],
    };
    const db = workload("db", {
      runsOn: { node: "host-1" },
      sidecar,
      attest: [{ kind: "socket", uid: 101, sharedUid: true }],
    });
    const plain = workload("web", { runsOn: { node: "host-1" } });
    expect(registryOf(policySet([db, plain], [apps])).workloadsOf("host-1")).toEqual({
      node: "host-1",
      workloads: [
        {
          identity: "spiffe://shop.example/shop/db",
          namespace: "shop",
          name: "db",
          uid: 101,
          sharedUid: true,
          serverFirstPorts: [5432],
          handshakes: [{ host: "db.shop", port: 80 }],
        },
        {
          identity: "spiffe://shop.example/shop/web",
          namespace: "shop",
          name: "web",
          sharedUid: false,
          serverFirstPorts: [],
        },
      ],
    });
  });

  it("knows nothing of a node that no document names", () => {
    expect(registryOf(policySet([workload("web")], [])).workloadsOf("host-9")).toEqual({
      node: "host-9",
      workloads: [],
    });
  });
});
