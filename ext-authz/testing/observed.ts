import type { Attributes, Decision } from "../../policies/index.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import type { Observed } from "../decision-record.ts";

/** A decision with its request; an allowed `GET /orders/42` of `shop/web` unless told otherwise. */
export function observed(decision: Partial<Decision> = {}, attributes: Partial<Attributes> = {}): Observed {
  return {
    workload: "shop/orders",
    atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    decision: {
      id: "d1",
      verdict: "allow",
      evaluated: "allow",
      mode: "enforce",
      phase: "allow",
      outcome: "allowed",
      reason: "allowed-by-rule",
      policy: "shop/orders",
      rule: "web-reads",
      line: "shop/orders/web-reads#GET|HEAD /orders/{id}",
      epoch: 1,
      revision: 7,
      path: "/orders/42",
      destination: "spiffe://shop.example/shop/orders",
      caller: "spiffe://shop.example/shop/web",
      tookMicros: 12,
      ...decision,
    },
    attributes: {
      caller: parseSpiffeId("spiffe://shop.example/shop/web"),
      destination: parseSpiffeId("spiffe://shop.example/shop/orders"),
      peerAddress: "10.0.0.7",
      listener: { port: 8443, kind: "mesh" },
      http: {
        method: "GET",
        path: "/orders/42?token=hunter2",
        host: "orders",
        headers: new Map([["authorization", ["Bearer hunter2"]]]),
        protocol: "HTTP/2",
      },
      now: new Date(Date.UTC(2026, 0, 2)),
      ...attributes,
    },
  };
}
