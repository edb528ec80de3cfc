import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { CheckRequest } from "../gen/envoy/service/auth/v3/external_auth.ts";
import { type CheckInput, checkRequest } from "../testing/check-request.ts";
import { attributesFromCheck, type CheckReading } from "./attributes-from-check.ts";

const now = new Date("2027-01-02T03:04:05Z");
const destination = parseSpiffeId("spiffe://cell.test/shop/orders");

function read(input: CheckInput): CheckReading {
  return attributesFromCheck(checkRequest(input), { destination, now });
}

function attributes(input: CheckInput) {
  const reading = read(input);
  if (!reading.ok) throw new Error(`refused: ${reading.reason}, ${reading.detail}`);
  return reading.attributes;
}

function refusal(input: CheckInput) {
  const reading = read(input);
  return reading.ok ? "accepted" : reading.reason;
}

const headers = (input: CheckInput) => Object.fromEntries(attributes(input).http?.headers ?? []);

describe("a request on a mesh listener", () => {
  it("yields caller, destination, listener, method, path and host", () => {
    const got = attributes({ path: "/a/%7Eb?q=1" });
    expect(got).toMatchObject({
      peerAddress: "10.0.0.7",
      listener: { kind: "mesh", port: 8443 },
      http: { method: "GET", path: "/a/%7Eb?q=1", host: "orders.test", protocol: "HTTP/2" },
      now,
    });
    expect(`${got.caller}`).toBe("spiffe://cell.test/shop/web");
    expect(got.destination).toBe(destination);
    expect(got.tcp).toBeUndefined();
    expect(got.claims).toBeUndefined();
    expect(got.withheldHeaders).toBeUndefined();
  });

  it("takes the port of the context, and that of the connection where the context names none", () => {
    expect(attributes({ destinationPort: 9 }).listener.port).toBe(8443);
    expect(attributes({ context: { "cellwall.listener": "mesh" }, destinationPort: 9 }).listener.port).toBe(9);
  });

  it.each(["0", "65536", "08443", "8443 ", "-1", "1e3", ""])("refuses the port `%s`", (port) => {
    expect(refusal({ context: { "cellwall.listener": "mesh", "cellwall.port": port } })).toBe("internal-error");
  });

  it("refuses a listener kind it does not know", () => {
    for (const kind of ["Mesh", "public", ""]) {
      expect(refusal({ context: { "cellwall.listener": kind, "cellwall.port": "1" } })).toBe("internal-error");
    }
  });

  it("refuses a sidecar that shows another workload's certificate, or none", () => {
    for (const other of [
      "spiffe://cell.test/shop/billing",
      "",
      "spiffe://cell.test/shop/orders/",
      "SPIFFE://cell.test/shop/orders",
    ]) {
      expect(refusal({ destination: other })).toBe("unknown-destination");
    }
  });

  it("refuses a request without method or path", () => {
    expect(refusal({ method: "" })).toBe("internal-error");
    expect(refusal({ method: "CONNECT", path: "" })).toBe("ambiguous-path");
  });

  it("says who asked and for what in a refusal, without the query", () => {
    expect(read({ destination: "", path: "/secret?token=abc" })).toMatchObject({
      ok: false,
      caller: "spiffe://cell.test/shop/web",
      path: "/secret",
    });
  });
});

describe("a request of a sidecar that says nothing of its listener", () => {
  const own = "spiffe://cell.test/shop/orders";
  const web = "spiffe://cell.test/shop/web";
  const foreign = (more: CheckInput): CheckInput => ({ context: {}, destinationPort: 8080, ...more });

  it("came in on a mesh listener where that shows this workload's certificate, at the connection's port", () => {
    const got = attributes(foreign({ destination: own }));
    expect([`${got.caller}`, got.listener]).toEqual([web, { kind: "mesh", port: 8080 }]);
    expect(attributes(foreign({ destination: own, source: "" })).callerProblem).toBeTypeOf("string");
  });

  it("is anonymous where neither side shows an identity", () => {
    for (const destination of ["", "www.shop.example"]) {
      const got = attributes(foreign({ source: "", destination }));
      expect([got.caller, got.callerProblem, got.listener.kind]).toEqual([undefined, undefined, "edge"]);
    }
  });

  it("is refused where the listener shows another identity, or none to a peer that shows one", () => {
    expect(refusal(foreign({ destination: "spiffe://cell.test/shop/billing" }))).toBe("unknown-destination");
    expect(refusal(foreign({ destination: "spiffe://cell.test/shop/billing", source: "" }))).toBe(
      "unknown-destination",
    );
    expect(refusal(foreign({ destination: "" }))).toBe("unknown-destination");
  });

  it("has its caller's word for nothing: the headers of our sidecars are neither believed nor shown to rules", () => {
    const forged: CheckInput["headers"] = [
      ["x-cellwall-caller", "spiffe://cell.test/shop/admin"],
      ["x-cellwall-peer-serial", "1"],
    ];
    const got = attributes(foreign({ destination: own, headers: forged }));
    expect([`${got.caller}`, got.callerSerial, got.callerProblem]).toEqual([web, undefined, undefined]);
    expect(got.http?.headers.size).toBe(0);
  });

  it("has the caller's serial, and its only identity, from the certificate that the sidecar sends", () => {
    const ca = createTestCa({ trustDomain: "cell.test" });
    const certificate = (uris: readonly string[]): string =>
      encodeURIComponent(ca.issue({ uris: [...uris], serial: "4a0b" }).certPem);
    expect(attributes(foreign({ destination: own, certificate: certificate([web]) })).callerSerial).toBe("4a0b");
    const two = attributes(foreign({ destination: own, certificate: certificate([web, "spiffe://cell.test/admin"]) }));
    expect([two.caller, two.callerProblem]).toEqual([undefined, "the peer's certificate holds more than one uri san"]);
    expect(attributes(foreign({ destination: own, certificate: "x" })).callerProblem).toBeTypeOf("string");
  });
});

describe("headers", () => {
  it("keep every value of a repeated header in order, without the pseudo headers", () => {
    const raw: CheckInput["headers"] = [
      ["x-role", "a"],
      ["accept", "*/*"],
      ["X-Role", "b,c"],
      ["x-role", undefined],
    ];
    expect(headers({ headers: raw })).toEqual({ "x-role": ["a", "b,c", ""], accept: ["*/*"] });
  });

  it("hold one byte a character, whatever the bytes are", () => {
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(headers({ headers: [["x-bytes", every]] })["x-bytes"]?.[0]).toBe(Buffer.from(every).toString("latin1"));
  });

  it("are read from the joined form where there is no raw one", () => {
    const joined = { ":method": "GET", ":path": "/x", "x-role": "a,b", "x-name": "\u00e9\u2603" };
    expect(headers({ joined })).toEqual({
      "x-role": ["a,b"],
      "x-name": [Buffer.from("\u00e9\u2603", "utf8").toString("latin1")],
    });
  });

  it("named like a member of an object are headers like any other", () => {
    const raw: CheckInput["headers"] = [
      ["__proto__", "1"],
      ["constructor", "2"],
    ];
    const map = attributes({ headers: raw }).http?.headers;
    expect([map?.get("__proto__"), map?.get("constructor"), map?.get("tostring")]).toEqual([["1"], ["2"], undefined]);
  });

  it("that the sidecar withholds are named", () => {
    const context = { "cellwall.listener": "mesh", "cellwall.port": "1", "cellwall.withheld": "authorization, Cookie" };
    expect([...(attributes({ context }).withheldHeaders ?? [])]).toEqual(["authorization", "cookie"]);
    expect(attributes({ context: { ...context, "cellwall.withheld": "" } }).withheldHeaders?.size).toBe(0);
  });
});

describe("the caller", () => {
  const caller = "spiffe://cell.test/shop/web";
  const withCaller = (...values: string[]): CheckInput => ({
    headers: values.map((value) => ["x-cellwall-caller", value]),
  });

  it.each([
    "spiffe.cell.test",
    "O=w-nosan",
    "https://cell.test/web",
    "spiffe://CELL.TEST/web",
    "spiffe://x@cell.test/web",
    "spiffe://cell.test/",
    "spiffe://cell.test/a/../admin",
    "spiffe://cell.test/a//b",
    "spiffe://cell.test/a,spiffe://cell.test/b",
    " spiffe://cell.test/a",
  ])("`%s` is not a SPIFFE ID, so there is none, and the reason is told", (source) => {
    const got = attributes({ source });
    expect(got.caller).toBeUndefined();
    expect(got.callerProblem).toBeTypeOf("string");
  });

  it("without a certificate is a problem on a mesh listener and anonymous on an edge listener", () => {
    expect(attributes({ source: "" }).callerProblem).toBeTypeOf("string");
    const edge = attributes({
      source: "",
      destination: "",
      context: { "cellwall.listener": "edge", "cellwall.port": "443" },
    });
    expect([edge.caller, edge.callerProblem, edge.listener.kind]).toEqual([undefined, undefined, "edge"]);
  });

  it("is refused where the certificate holds two URI SANs", () => {
    const got = attributes(withCaller(`${caller},spiffe://cell.test/admin`));
    expect([got.caller, got.callerProblem]).toEqual([undefined, "the peer's certificate holds more than one uri san"]);
  });

  it("is refused where the caller header is another's, or there twice", () => {
    expect(attributes(withCaller("spiffe://cell.test/admin")).callerProblem).toBeTypeOf("string");
    expect(attributes(withCaller("")).callerProblem).toBeTypeOf("string");
    expect(attributes(withCaller(caller, caller)).callerProblem).toBeTypeOf("string");
    expect(attributes({ ...withCaller(caller), source: "" }).callerProblem).toBeTypeOf("string");
  });

  it("is taken where header and principal agree, and the sidecar's headers are hidden from rules", () => {
    const got = attributes({
      headers: [
        ["x-cellwall-caller", caller],
        ["x-cellwall-peer-serial", "0A:FF"],
        ["x-role", "a"],
      ],
    });
    expect([`${got.caller}`, got.callerSerial, got.callerProblem]).toEqual([caller, "aff", undefined]);
    expect([...(got.http?.headers.keys() ?? [])]).toEqual(["x-role"]);
  });

  it("is refused where the serial is not one serial", () => {
    for (const serials of [["zz"], ["1", "2"], [""], ["1".repeat(129)]]) {
      const got = attributes({ headers: serials.map((serial) => ["x-cellwall-peer-serial", serial]) });
      expect([got.caller, got.callerProblem]).toEqual([undefined, expect.any(String)]);
    }
  });

  it.each([
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["::ffff:a01:203", "10.1.2.3"],
    ["2001:DB8::1", "2001:db8::1"],
    ["10.0.0.1", "10.0.0.1"],
    ["/run/x.sock", undefined],
    ["localhost", undefined],
  ])("at address `%s` is at %s", (sourceAddress, expected) => {
    expect(attributes({ sourceAddress }).peerAddress).toBe(expected);
  });
});

describe("an upgrade", () => {
  it.each<[string, CheckInput, string | undefined]>([
    [
      "is what the header names",
      {
        headers: [
          ["upgrade", "WebSocket"],
          ["connection", "Upgrade"],
        ],
      },
      "websocket",
    ],
    ["counts without a connection header", { headers: [["upgrade", "websocket"]] }, "websocket"],
    [
      "with two names is both",
      {
        headers: [
          ["upgrade", "websocket"],
          ["upgrade", "h2c"],
        ],
      },
      "websocket,h2c",
    ],
    ["without a name is one all the same", { headers: [["upgrade", undefined]] }, "unnamed"],
    ["comes by extended CONNECT too", { method: "CONNECT", headers: [[":protocol", "websocket"]] }, "websocket"],
    ["is CONNECT itself", { method: "CONNECT" }, "connect"],
    ["is not asked for by an ordinary request", { headers: [["upgrade-insecure-requests", "1"]] }, undefined],
  ])("%s", (_, input, expected) => {
    expect(attributes(input).http?.upgrade).toBe(expected);
  });
});

describe("a token", () => {
  const ran = (fields: unknown): CheckInput => ({ metadata: { "envoy.filters.http.jwt_authn": fields } });

  it("is verified where there is a payload, absent where there is a failure, unknown where there is neither", () => {
    const claims = attributes(ran({ "payload/corp": { sub: "u", groups: ["a"] }, "failed/shop": { code: 1 } })).claims;
    expect(claims?.get("corp")).toEqual({ kind: "verified", payload: { sub: "u", groups: ["a"] } });
    expect(claims?.get("shop")).toEqual({ kind: "absent" });
    expect(claims?.has("other")).toBe(false);
  });

  it("is unknown, not absent, where the keys to verify it could not be had", () => {
    for (const failed of [{ code: 40 }, { code: 39, message: "Jwks remote fetch is failed" }])
      expect(attributes(ran({ "failed/corp": failed })).claims?.size).toBe(0);
    const mismatch = { code: 32, message: "Jwks doesn't have key to match kid or alg from Jwt" };
    expect(attributes(ran({ "failed/corp": mismatch })).claims?.get("corp")).toEqual({ kind: "absent" });
  });

  it("is not verified by a payload that is no object", () => {
    for (const payload of ["yes", true, 1, null, ["sub"]])
      expect(attributes(ran({ "payload/corp": payload })).claims?.size).toBe(0);
  });

  it("is not verified by another filter's metadata or another key", () => {
    expect(attributes({ metadata: { other: { "payload/corp": {} } } }).claims).toBeUndefined();
    expect(attributes(ran({ payload: { sub: "u" } })).claims?.size).toBe(0);
  });

  it("cannot reach claims through a prototype", () => {
    const payload = JSON.parse('{"sub":"u","__proto__":{"admin":true},"deep":{"__proto__":{"admin":true}}}');
    const state = attributes(ran({ "payload/corp": payload })).claims?.get("corp");
    if (state?.kind !== "verified") throw new Error("not verified");
    expect([state.payload.admin, state.payload.toString]).toEqual([undefined, undefined]);
    expect((state.payload.deep as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe("a connection", () => {
  it("has no http part, and its port is the listener's", () => {
    const got = attributes({ tcp: true, destinationPort: 5432 });
    expect(got).toMatchObject({ tcp: {}, listener: { kind: "mesh", port: 5432 }, peerAddress: "10.0.0.7" });
    expect(got.http).toBeUndefined();
    expect(`${got.caller}`).toBe("spiffe://cell.test/shop/web");
  });

  it("without certificates is anonymous on an edge listener", () => {
    expect(attributes({ tcp: true, source: "", destination: "" }).listener.kind).toBe("edge");
    expect(attributes({ tcp: true, source: "", destination: "shop.example" }).caller).toBeUndefined();
  });

  it("to another workload's certificate, or with a peer's certificate elsewhere, is refused", () => {
    expect(refusal({ tcp: true, destination: "spiffe://cell.test/shop/billing", source: "" })).toBe(
      "unknown-destination",
    );
    expect(refusal({ tcp: true, destination: "", source: "spiffe://cell.test/shop/web" })).toBe("unknown-destination");
  });

  it("without a port is refused", () => {
    expect(refusal({ tcp: true, destinationPort: 0 })).toBe("internal-error");
  });
});

describe("the correlation id", () => {
  const id = "b4c3ea58-1918-4c4a-a016-876d541dc0ba";
  it("is the request id where that is one UUID", () => {
    expect(read({ headers: [["x-request-id", id]] })).toMatchObject({ ok: true, correlationId: id });
    expect(read({ headers: [["x-request-id", "../etc"]] })).not.toHaveProperty("correlationId");
    expect(
      read({
        headers: [
          ["x-request-id", id],
          ["x-request-id", id],
        ],
      }),
    ).not.toHaveProperty("correlationId");
  });
});

describe("bytes that are no check request", () => {
  it("are refused: nothing at all, no attributes, junk", () => {
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(255),
      Uint8Array.of(10, 5, 1),
      Buffer.from("GET / HTTP/1.1\r\n"),
    ]) {
      expect(attributesFromCheck(bytes, { destination, now })).toMatchObject({ ok: false, reason: "internal-error" });
    }
  });

  it("never throw, nor does a request with some of its bytes changed, nor become another workload's", () => {
    const honest = checkRequest({
      headers: [
        ["x-role", "a"],
        ["x-cellwall-caller", "spiffe://cell.test/shop/web"],
      ],
    });
    const edits = fc.array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    const changed = edits.map((list) => {
      const bytes = Uint8Array.from(honest);
      for (const [index, value] of list) bytes[index] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), changed), (bytes) => {
        const reading = attributesFromCheck(bytes, { destination, now });
        if (!reading.ok) return;
        expect(reading.attributes.destination).toBe(destination);
        expect((reading.attributes.http === undefined) !== (reading.attributes.tcp === undefined)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("never throw for deep metadata", () => {
    let value: unknown = "leaf";
    for (let i = 0; i < 200; i++) value = { a: value };
    const deep = { metadata: { "envoy.filters.http.jwt_authn": { "payload/corp": value } } };
    expect(refusal(deep)).toBe("internal-error");
  });

  it("of fields from a newer Envoy are skipped", () => {
    const bytes = Buffer.concat([checkRequest({}), Buffer.from([0xba, 0x3e, 2, 1, 2])]);
    expect(CheckRequest.decode(bytes).attributes).toBeDefined();
    expect(attributesFromCheck(bytes, { destination, now }).ok).toBe(true);
  });
});
