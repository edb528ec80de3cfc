import { describe, expect, it } from "vitest";
import { meshSides } from "../../compose/index.ts";
import { createRecordLog } from "../local-mesh/index.ts";
import { containerSet } from "./attach-stage.ts";
import { placedMesh } from "./placed-mesh.ts";

const sides = meshSides("federated").map((side) => ({
  set: containerSet(side),
  sockets: ({ namespace, name }: { readonly namespace: string; readonly name: string }) => ({
    workload: `/run/${namespace}.${name}`,
  }),
}));

describe("placedMesh", () => {
  const mesh = placedMesh(sides, createRecordLog());

  it("finds a workload in whichever trust domain it is", () => {
    expect([mesh.key("orders"), mesh.key("gateway")]).toEqual(["store/orders", "pay/gateway"]);
    expect([mesh.address("ledger"), mesh.sockets("ledger").workload]).toEqual(["ledger", "/run/pay.ledger"]);
    expect(() => mesh.address("nobody")).toThrow("no workload `nobody`");
  });

  it("finds an app's socket to a peer of its own trust domain and of another one", () => {
    expect(mesh.callSocket("gateway", "ledger")).toBe("/run/app/ledger.sock");
    expect(mesh.callSocket("gateway", "orders")).toBe("/run/app/orders.sock");
    expect(mesh.appSocket("orders", 8443)).toBe("/run/app/orders.sock");
    expect(() => mesh.callSocket("orders", "gateway")).toThrow("not a unix socket");
  });
});
