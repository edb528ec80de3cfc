import { describe, expect, it } from "vitest";
import { decisionRecord, pathTemplateOf } from "./decision-record.ts";
import { observed } from "./testing/observed.ts";

describe("decisionRecord", () => {
  it("is the decision with time, workload, listener, method and path template", () => {
    expect(decisionRecord(observed())).toEqual({
      ...observed().decision,
      kind: "decision",
      time: "2026-01-02T03:04:05.006Z",
      workload: "shop/orders",
      listenerPort: 8443,
      listenerKind: "mesh",
      method: "GET",
      pathTemplate: "/orders/{id}",
      grpc: false,
      peerAddress: "10.0.0.7",
    });
  });

  it("says whether the request was gRPC, and nothing where that is open", () => {
    const grpcOf = (contentType: readonly string[] | undefined, withheld: readonly string[] = []) => {
      const headers = new Map(contentType === undefined ? [] : [["content-type", contentType]]);
      const http = { method: "POST", path: "/a.B/C", host: "", headers, protocol: "HTTP/2" };
      return decisionRecord(observed({}, { http, withheldHeaders: new Set(withheld) })).grpc;
    };
    expect([grpcOf(["application/grpc+proto"]), grpcOf(["application/json"]), grpcOf(undefined)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(grpcOf(["application/grpc", "text/plain"])).toBeUndefined();
    expect(grpcOf(["application/grpc"], ["content-type"])).toBeUndefined();
  });

  it("says which sidecar asked over the network, and Envoy's id of the request", () => {
    const requestId = "b4c3ea58-1918-4c4a-a016-876d541dc0ba";
    const from = { identity: "spiffe://a/orders", address: "10.0.0.9:41000" };
    expect(decisionRecord({ ...observed(), from, requestId })).toMatchObject({
      requestId,
      sidecar: "spiffe://a/orders",
      sidecarAddress: "10.0.0.9:41000",
    });
  });

  it("holds no header, no query and no host", () => {
    const text = JSON.stringify(decisionRecord(observed()));
    expect(text).not.toMatch(/hunter2|authorization|token=|"host"/i);
  });

  it("escapes control and bidi characters of foreign texts and cuts long ones", () => {
    const http = {
      method: "GET\u001b[31m",
      path: "/",
      host: "",
      headers: new Map(),
      protocol: "HTTP/2",
      upgrade: "x\u202e",
    };
    const record = decisionRecord(
      observed({ caller: "spiffe://a/\u0007", detail: "d".repeat(5_000), path: "/\u200b" }, { http }),
    );
    const foreign = `${record.method}${record.upgrade}${record.caller}${record.path}`;
    expect(foreign).toBe("GET\\u001b[31mx\\u202espiffe://a/\\u0007/\\u200b");
    expect(record.detail?.length).toBeLessThanOrEqual(256);
  });

  it("says nothing of a request that could not be read", () => {
    const record = decisionRecord({ ...observed({ reason: "internal-error" }), attributes: undefined });
    expect(record).toMatchObject({ listenerPort: 0, reason: "internal-error" });
    expect(record.method).toBeUndefined();
  });
});

describe("pathTemplateOf", () => {
  it.each([
    ["shop/orders/reads#GET|HEAD /orders/{id:int}", "/orders/{id:int}"],
    ["shop/orders/live#websocket /live/**", "/live/**"],
    ["shop/db/web#tcp 5432", undefined],
    ["shop/inv/web#grpc shop.Orders/Get", undefined],
    [undefined, undefined],
  ])("of `%s` is `%s`", (line, template) => {
    expect(pathTemplateOf(line)).toBe(template);
  });
});
