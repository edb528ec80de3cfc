import { describe, expect, it } from "vitest";
import { attributesFromCheck } from "../envoy/index.ts";
import { parseSpiffeId } from "../spiffe/index.ts";
import { sampleRequests, warmUp } from "./warm-up.ts";

const destination = parseSpiffeId("spiffe://shop.example/shop/orders");

describe("warm-up", () => {
  it("sends requests and connections that read like a sidecar's", () => {
    const readings = sampleRequests(destination).map((bytes) =>
      attributesFromCheck(bytes, { destination, now: new Date() }),
    );
    expect(readings.every(({ ok }) => ok)).toBe(true);
    const attributes = readings.flatMap((reading) => (reading.ok ? [reading.attributes] : []));
    expect(attributes.map(({ http, tcp }) => http?.method ?? (tcp === undefined ? "nothing" : "tcp"))).toEqual([
      "GET",
      "POST",
      "GET",
      "tcp",
    ]);
    expect(attributes.every(({ callerSerial, http }) => http === undefined || callerSerial === "1f")).toBe(true);
  });

  it("runs the handler itself", () => {
    let calls = 0;
    warmUp(
      (request) => {
        calls += 1;
        return request;
      },
      destination,
      3,
    );
    expect(calls).toBe(12);
  });
});
