import { describe, expect, it } from "vitest";
import type { NodeWorkloads } from "../../protocol/index.ts";
import { localWorkloads } from "./local-workloads.ts";

type Entry = NodeWorkloads["workloads"][number];
const entry = (name: string, rest: Partial<Entry> = {}): Entry => ({
  identity: `spiffe://shop.example/shop/${name}`,
  namespace: "shop",
  name,
  sharedUid: false,
  serverFirstPorts: [],
  ...rest,
});
const root = { uid: 0, isRoot: true };
const user = { uid: 1000, isRoot: false };

function judged(workloads: Entry[], who: Parameters<typeof localWorkloads>[2], runDir = "/run/cw") {
  return localWorkloads({ node: "host-7", workloads }, runDir, who).map((local) =>
    local.ok ? local.isolation : local.reason,
  );
}

describe("localWorkloads", () => {
  it("isolates workloads that have a uid each", () => {
    expect(judged([entry("web", { uid: 101 }), entry("db", { uid: 102 })], root)).toEqual(["uid", "uid"]);
  });

  it("says that workloads without a uid are not isolated", () => {
    expect(judged([entry("web"), entry("db")], user)).toEqual(["none", "none"]);
  });

  it("refuses every workload of a uid that two have, and serves the others", () => {
    expect(judged([entry("web", { uid: 101 }), entry("db", { uid: 101 }), entry("api", { uid: 102 })], root)).toEqual([
      "duplicate-uid",
      "duplicate-uid",
      "uid",
    ]);
  });

  it("serves workloads of one uid only where all of them say that they share it", () => {
    const shared = { uid: 101, sharedUid: true };
    expect(judged([entry("web", shared), entry("db", shared)], root)).toEqual(["none", "none"]);
    expect(judged([entry("web", shared), entry("db", { uid: 101 })], root)).toEqual(["duplicate-uid", "duplicate-uid"]);
  });

  it("refuses a uid that the agent may not give sockets to", () => {
    expect(judged([entry("web", { uid: 101 }), entry("db", { uid: 1000 })], user)).toEqual(["foreign-uid", "none"]);
  });

  it("refuses a socket path that is too long, an identity that is none, and a name that leaves the folder", () => {
    expect(judged([entry("web")], user, `/${"r".repeat(90)}`)).toEqual(["sockets"]);
    expect(judged([entry("web", { identity: "https://shop.example/web" })], user)).toEqual(["unreadable"]);
    expect(judged([entry("../web", { identity: "spiffe://shop.example/web" })], user)).toEqual(["sockets"]);
  });
});
