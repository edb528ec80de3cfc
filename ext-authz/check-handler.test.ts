import { describe, expect, it } from "vitest";
import { attributesFromCheck, checkResponseBytes } from "../envoy/index.ts";
import { decide, noPolicyIndex } from "../policies/index.ts";
import { parseSpiffeId } from "../spiffe/index.ts";
import { type CheckSteps, createCheckHandler } from "./check-handler.ts";
import type { Observed } from "./decision-record.ts";
import type { PolicyView } from "./policy-state.ts";
import { readAnswer } from "./testing/check-answer.ts";
import { checkRequest } from "./testing/check-request.ts";

const destination = parseSpiffeId("spiffe://shop.example/shop/orders");
const NO_POLICY: PolicyView = { index: noPolicyIndex(), set: undefined, bundle: undefined };
const request = checkRequest({
  caller: "spiffe://shop.example/shop/web",
  destination: destination.toString(),
  http: { method: "GET", path: "/a" },
});

function handlerWith(
  options: {
    readonly steps?: Partial<CheckSteps>;
    readonly nowMs?: () => number;
    readonly view?: () => PolicyView;
    readonly observe?: (observed: Observed) => void;
  } = {},
) {
  const observed: Observed[] = [];
  const handler = createCheckHandler({
    workload: "shop/orders",
    destination,
    view: options.view ?? (() => NO_POLICY),
    nowMs: options.nowMs ?? (() => 1_800_000_000_000),
    observe: options.observe ?? ((each) => observed.push(each)),
    ...(options.steps === undefined ? {} : { steps: options.steps }),
  });
  return { handler, observed };
}

const boom = (): never => {
  throw new Error("boom");
};

describe("the check handler", () => {
  it("denies with 503 `no-policy` before the first bundle", () => {
    const { handler, observed } = handlerWith();
    expect(readAnswer(handler(request))).toMatchObject({ httpStatus: 503, reason: "no-policy" });
    expect(observed).toMatchObject([
      {
        workload: "shop/orders",
        decision: { verdict: "deny", reason: "no-policy", caller: "spiffe://shop.example/shop/web" },
      },
    ]);
  });

  it("answers undecodable bytes with 503 `internal-error`", () => {
    for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.alloc(0), Buffer.from("GET / HTTP/1.1")]) {
      const { handler, observed } = handlerWith();
      expect(readAnswer(handler(bytes))).toMatchObject({ httpStatus: 503, reason: "internal-error" });
      expect(observed).toMatchObject([
        { decision: { verdict: "deny", reason: "internal-error" }, attributes: undefined },
      ]);
    }
  });

  it.each([
    ["reading", { read: boom }],
    ["deciding", { decide: boom }],
    ["writing", { write: boom }],
  ] satisfies [string, Partial<CheckSteps>][])(
    "turns an exception while %s into 503 `internal-error`",
    (_step, steps) => {
      const { handler, observed } = handlerWith({ steps });
      expect(readAnswer(handler(request))).toMatchObject({ httpStatus: 503, reason: "internal-error" });
      expect(observed.at(-1)).toMatchObject({ decision: { verdict: "deny", outcome: "unavailable", detail: "boom" } });
    },
  );

  it("turns a failing clock or policy lookup into 503 `internal-error`", () => {
    expect(readAnswer(handlerWith({ nowMs: boom }).handler(request))).toMatchObject({
      httpStatus: 503,
      reason: "internal-error",
    });
    let calls = 0;
    const view = (): PolicyView => (calls++ < 1 ? NO_POLICY : boom());
    expect(readAnswer(handlerWith({ view }).handler(request))).toMatchObject({
      httpStatus: 503,
      reason: "internal-error",
    });
  });

  it("answers as decided though the observer throws", () => {
    expect(readAnswer(handlerWith({ observe: boom }).handler(request))).toMatchObject({ reason: "no-policy" });
    expect(readAnswer(handlerWith({ observe: boom, steps: { decide: boom } }).handler(request))).toMatchObject({
      reason: "internal-error",
    });
  });

  it("denies a check that is about another workload, whatever the socket's owner says", () => {
    const about = checkRequest({
      caller: "spiffe://shop.example/shop/web",
      destination: "spiffe://shop.example/shop/db",
      http: { method: "GET", path: "/a" },
    });
    const { handler, observed } = handlerWith();
    expect(readAnswer(handler(about))).toMatchObject({ httpStatus: 503, reason: "unknown-destination" });
    expect(observed[0]?.decision).toMatchObject({ verdict: "deny", destination: "spiffe://shop.example/shop/orders" });
  });

  it("never answers without a status, or OK on a denial, for any of many mutated requests", () => {
    const { handler } = handlerWith();
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(request);
      for (let flips = 0; flips < 3; flips++)
        bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
      const answer = readAnswer(handler(bytes.subarray(0, 1 + Math.floor(Math.random() * bytes.length))));
      expect(answer.status).not.toBe(0);
      // What a mutation leaves readable may be refused for what it says.
      expect([403, 503]).toContain(answer.httpStatus);
    }
  });

  it("uses the real steps unless told otherwise", () => {
    const seen: string[] = [];
    const { handler } = handlerWith({
      steps: {
        read: (...args) => {
          seen.push("read");
          return attributesFromCheck(...args);
        },
        decide: (...args) => {
          seen.push("decide");
          return decide(...args);
        },
        write: (...args) => {
          seen.push("write");
          return checkResponseBytes(...args);
        },
      },
    });
    handler(request);
    expect(seen).toEqual(["read", "decide", "write"]);
    expect(readAnswer(handlerWith().handler(request)).reason).toBe("no-policy");
  });
});
