import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import type { WitnessRequest } from "./finding.ts";
import { NOW, shopSet } from "./testing/shop.ts";
import { attributesOf } from "./witness.ts";
import { witnessOf, witnessText } from "./witness-text.ts";

const set = shopSet();
const index = compile(set);
const verdict = (witness: WitnessRequest): string => {
  const { verdict, line } = decide(index, attributesOf(witness, set, { now: NOW }));
  return line === undefined ? verdict : `${verdict} ${line.slice(line.indexOf("#") + 1)}`;
};
const base = { from: "shop/web", to: "shop/orders" };

const WITNESSES: readonly (readonly [WitnessRequest, string])[] = [
  [{ ...base, request: "GET /orders/42", headers: { "X-Tenant": "acme" } }, "allow GET /orders/{id}"],
  [{ ...base, request: "GET /orders/42", headers: { "x-tenant": ["acme", "globex"] } }, "allow GET /orders/{id}"],
  [{ ...base, request: "GET /orders/42", headers: { "x-tenant": ["acme", "other"] } }, "deny"],
  [{ ...base, request: "GET /orders/42" }, "deny"],
  [{ ...base, request: "GET /orders/42", headers: { "x-tenant": "grün" } }, "deny"],
  [{ ...base, from: "anonymous", request: "GET /orders/4", headers: { "x-tenant": "acme" } }, "allow GET /orders/{id}"],
  [
    {
      ...base,
      from: "spiffe://partner.example/billing",
      request: "grpc shop.Orders/Get",
      headers: { "x-tenant": "acme" },
    },
    "allow grpc shop.Orders/Get",
  ],
  [{ ...base, request: "websocket /live", headers: { "x-tenant": "acme" } }, "allow websocket /live"],
  [{ ...base, request: "tcp 5432" }, "deny tcp 5432"],
  [{ ...base, request: "tcp 5432", address: "10.1.2.3" }, "allow tcp 5432"],
  [
    { ...base, request: "DELETE /orders/4", query: { why: "a b" }, claims: { corp: { role: "admin" } } },
    "allow DELETE /orders/{id}",
  ],
  [
    {
      ...base,
      request: "DELETE /orders/4?x=1",
      query: { why: ["a b", "a b"] },
      claims: { corp: { role: "admin" } },
      at: "2027-01-01T00:00:00Z",
    },
    "deny",
  ],
];

describe("attributesOf", () => {
  it.each(WITNESSES.map((pair) => [witnessText(pair[0]), ...pair] as const))("%s", (_, witness, expected) => {
    expect(verdict(witness)).toBe(expected);
  });

  it.each(WITNESSES.map((pair) => [witnessText(pair[0]), ...pair] as const))(
    "there and back: %s",
    (_, witness, expected) => {
      const again = witnessOf(attributesOf(witness, set, { now: NOW }), set);
      expect(verdict(again)).toBe(expected);
      expect(witnessOf(attributesOf(again, set, { now: NOW }), set)).toEqual(again);
    },
  );

  it("finds a workload by a name that only one has, and by its identity", () => {
    const { destination } = attributesOf({ from: "web", to: "orders", request: "GET /" }, set, { now: NOW });
    expect(destination.toString()).toBe("spiffe://shop.example/shop/orders");
    const by = attributesOf({ from: "web", to: destination.toString(), request: "GET /" }, set, { now: NOW });
    expect(by.destination).toEqual(destination);
  });

  it.each([
    { ...base, to: "shop/nobody", request: "GET /" },
    { ...base, from: "nobody", request: "GET /" },
    { ...base, request: "GET" },
    { ...base, request: "tcp x" },
    { ...base, request: "tcp 1", query: { a: "b" } },
    { ...base, request: "GET /", at: "never" },
    { ...base, request: "GET /", address: "::g" },
  ])("refuses what is no request of the set: $from $to $request", (witness) => {
    expect(() => attributesOf(witness, set, { now: NOW })).toThrow(
      expect.objectContaining({ code: "ERR_POLICY_WITNESS" }),
    );
  });

  it("writes no character raw that a terminal could obey", () => {
    const text = witnessText({ ...base, request: "GET /\u001b[2J", headers: { a: "\u202e" } });
    for (const raw of "\u001b\u202e") expect(text).not.toContain(raw);
  });
});
