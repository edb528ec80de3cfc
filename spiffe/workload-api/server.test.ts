import { createPrivateKey, X509Certificate } from "node:crypto";
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJwtAuthority, createTestCa } from "../testing/index.ts";
import {
  type JWTSVIDResponse,
  SpiffeWorkloadAPIService as service,
  type ValidateJWTSVIDResponse,
} from "./gen/workloadapi.ts";
import { eventually, type ServedWorkloadApi, SettableProvider, serveWorkloadApi } from "./testing/serve.ts";

const WEB = "spiffe://shop.example/shop/web";
const root = createTestCa({ trustDomain: "shop.example" });
const ca = root.intermediate();
const partner = createTestCa({ trustDomain: "partner.example" });
const jwt = createJwtAuthority({ trustDomain: "shop.example" });
const partnerJwt = createJwtAuthority({ trustDomain: "partner.example", keyId: "p" });
const own = { ...root.bundle(), jwtAuthorities: jwt.bundle().jwtAuthorities };
const foreign = { ...partner.bundle(), jwtAuthorities: partnerJwt.bundle().jwtAuthorities };
const trust = {
  trustDomain: root.trustDomain,
  bundles: new Map([
    [partner.trustDomain, foreign],
    [root.trustDomain, own],
  ]),
};
const web = () => ca.issue({ uris: [WEB] }).svid();
const present = (change: Partial<{ svid: ReturnType<typeof web>; trust: typeof trust }> = {}) =>
  provider.set({ kind: "present", svid: web(), trust, ...change });

let provider: SettableProvider;
let served: ServedWorkloadApi;
let client: Client;
beforeEach(async () => {
  provider = new SettableProvider();
  provider.issueJwtSvid = async (id, audience) => ({ ok: true, token: jwt.sign({ sub: `${id}`, aud: audience }) });
  served = await serveWorkloadApi(provider);
  client = new Client(`unix:${served.path}`, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await served.stop();
});

const header = (...values: readonly string[]): Metadata => {
  const metadata = new Metadata();
  for (const value of values) metadata.add("workload.spiffe.io", value);
  return metadata;
};

/** Collects what a stream brings. */
function collect<T>(stream: ClientReadableStream<T>) {
  const seen: { messages: T[]; error: ServiceError | undefined; cancel: () => void } = {
    messages: [],
    error: undefined,
    cancel: () => stream.cancel(),
  };
  stream.on("data", (message: T) => seen.messages.push(message));
  stream.on("error", (error: ServiceError) => {
    seen.error = error;
  });
  return seen;
}
type StreamName = "fetchX509Svid" | "fetchX509Bundles" | "fetchJwtBundles";
function open<Name extends StreamName>(name: Name, metadata = header("true")) {
  const { path, requestSerialize, responseDeserialize } = service[name];
  const decode = responseDeserialize as (bytes: Buffer) => ReturnType<(typeof service)[Name]["responseDeserialize"]>;
  return collect(client.makeServerStreamRequest(path, requestSerialize, decode, {}, metadata));
}
const messages = (seen: { messages: unknown[] }, count: number) =>
  eventually(`message ${count}`, () => seen.messages.length === count);
async function failure(seen: { error: ServiceError | undefined }): Promise<status | undefined> {
  await eventually("an error", () => seen.error !== undefined);
  return seen.error?.code;
}

interface Unary<T> {
  readonly error: ServiceError | null;
  readonly response: T | undefined;
}
const fetchJwt = (audience: string[], spiffeId = "", metadata = header("true")) =>
  new Promise<Unary<JWTSVIDResponse>>((resolve) => {
    const { path, requestSerialize, responseDeserialize } = service.fetchJwtsvid;
    const request = { audience, spiffeId };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, response) =>
      resolve({ error, response }),
    );
  });
const validate = (audience: string, svid: string, metadata = header("true")) =>
  new Promise<Unary<ValidateJWTSVIDResponse>>((resolve) => {
    const { path, requestSerialize, responseDeserialize } = service.validateJwtsvid;
    const request = { audience, svid };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, response) =>
      resolve({ error, response }),
    );
  });

const STREAMS = ["fetchX509Svid", "fetchX509Bundles", "fetchJwtBundles"] as const;

describe("every stream", () => {
  it.each(STREAMS)("W-a: %s brings its first message at once", async (name) => {
    present();
    await messages(open(name), 1);
  });

  it.each(STREAMS)(
    "E-5: %s is UNAVAILABLE before the identity is known, PERMISSION_DENIED where there is none",
    async (name) => {
      expect(await failure(open(name))).toBe(status.UNAVAILABLE);
      provider.set({ kind: "none" });
      const none = open(name);
      expect([await failure(none), none.error?.details]).toEqual([status.PERMISSION_DENIED, "no identity issued"]);
    },
  );

  it("E-5: a call that comes before its identity waits for it, and is not told to come back", async () => {
    provider.patienceMs = 30_000;
    const seen = open("fetchX509Svid");
    await eventually("the call", () => provider.listeners === 1);
    present();
    await messages(seen, 1);
    expect(seen.error).toBeUndefined();
    provider.set({ kind: "pending" });
    expect(await failure(seen)).toBe(status.UNAVAILABLE);
  });

  it.each(STREAMS)("W-c: %s ends with PERMISSION_DENIED when the identity is withdrawn", async (name) => {
    present();
    const seen = open(name);
    await messages(seen, 1);
    provider.set({ kind: "none" });
    expect(await failure(seen)).toBe(status.PERMISSION_DENIED);
    expect(provider.listeners).toBe(0);
  });

  it.each([[], ["false"], ["True"], ["1"], ["true", "true"]])(
    "E-2: is refused with INVALID_ARGUMENT under the security header `%s`",
    async (...values) => {
      present();
      for (const name of STREAMS) {
        const seen = open(name, header(...values));
        expect(await failure(seen)).toBe(status.INVALID_ARGUMENT);
        expect(seen.messages).toEqual([]);
      }
    },
  );

  it("goes on serving others when one is cancelled", async () => {
    present();
    const [gone, stays] = [open("fetchX509Svid"), open("fetchX509Svid")];
    await Promise.all([messages(gone, 1), messages(stays, 1)]);
    gone.cancel();
    await eventually("one listener", () => provider.listeners === 1);
    present();
    await messages(stays, 2);
  });
});

describe("FetchX509SVID", () => {
  it("W-e: brings the chain, the key that fits it, and the trust bundles, all in DER", async () => {
    const svid = web();
    present({ svid });
    const seen = open("fetchX509Svid");
    await messages(seen, 1);
    const [first] = seen.messages[0]?.svids ?? [];
    expect(first?.spiffeId).toBe(WEB);
    const chain = Buffer.from(first?.x509Svid ?? []);
    expect(chain.equals(Buffer.concat(svid.chain.map((link) => link.raw)))).toBe(true);
    const key = createPrivateKey({ key: Buffer.from(first?.x509SvidKey ?? []), format: "der", type: "pkcs8" });
    expect(new X509Certificate(chain).checkPrivateKey(key)).toBe(true);
    expect(Buffer.from(first?.bundle ?? []).equals(root.root.raw)).toBe(true);
    const federated = [...(seen.messages[0]?.federatedBundles ?? [])];
    expect(federated.map(([name, der]) => [name, Buffer.from(der).equals(partner.root.raw)])).toEqual([
      ["spiffe://partner.example", true],
    ]);
  });

  it("W-b: pushes each rotation as the complete state, and what has left it is gone", async () => {
    present();
    const seen = open("fetchX509Svid");
    await messages(seen, 1);
    const svid = web();
    present({ svid, trust: { ...trust, bundles: new Map([[root.trustDomain, own]]) } });
    await messages(seen, 2);
    const [, second] = seen.messages;
    expect(second?.svids).toHaveLength(1);
    expect(new X509Certificate(Buffer.from(second?.svids[0]?.x509Svid ?? [])).serialNumber.toLowerCase()).toContain(
      svid.serial,
    );
    expect([...(second?.federatedBundles.keys() ?? [])]).toEqual([]);
  });

  it("W-d: gives hints of at most 1024 bytes, none of them twice", async () => {
    present();
    const seen = open("fetchX509Svid");
    await messages(seen, 1);
    const hints = seen.messages[0]?.svids.map(({ hint }) => hint).filter((hint) => hint !== "") ?? [];
    expect(new Set(hints).size).toBe(hints.length);
    expect(hints.every((hint) => Buffer.byteLength(hint) <= 1024)).toBe(true);
  });
});

describe("bundles", () => {
  it("W-f: come under every trust domain's SPIFFE ID, the own one always among them", async () => {
    present();
    for (const name of ["fetchX509Bundles", "fetchJwtBundles"] as const) {
      const seen = open(name);
      await messages(seen, 1);
      expect([...(seen.messages[0]?.bundles.keys() ?? [])].sort()).toEqual([
        "spiffe://partner.example",
        "spiffe://shop.example",
      ]);
      provider.set({ kind: "present", svid: web(), trust: { ...trust, bundles: new Map([[root.trustDomain, own]]) } });
      await messages(seen, 2);
      expect([...(seen.messages[1]?.bundles.keys() ?? [])]).toEqual(["spiffe://shop.example"]);
      present();
    }
  });

  it("are not sent again when only the certificate was renewed", async () => {
    present();
    const [svids, bundles] = [open("fetchX509Svid"), open("fetchX509Bundles")];
    await Promise.all([messages(svids, 1), messages(bundles, 1)]);
    present();
    await messages(svids, 2);
    present({ trust: { ...trust, bundles: new Map([[root.trustDomain, own]]) } });
    await messages(bundles, 2);
  });

  it("W-g: of JWT authorities hold these alone, each with its use and key id (J-7)", async () => {
    present();
    const seen = open("fetchJwtBundles");
    await messages(seen, 1);
    const text = Buffer.from(seen.messages[0]?.bundles.get("spiffe://shop.example") ?? []).toString();
    expect(JSON.parse(text)).toEqual({
      keys: [expect.objectContaining({ use: "jwt-svid", kid: "key-1", kty: "EC", crv: "P-256" })],
    });
    expect(text).not.toContain('"d"');
  });

  it("of a trust domain without X.509 authorities are left out: an empty text would be an error to clients", async () => {
    const empty = { ...foreign, x509Authorities: [] };
    present({ trust: { ...trust, bundles: new Map([...trust.bundles, [partner.trustDomain, empty]]) } });
    const seen = open("fetchX509Bundles");
    await messages(seen, 1);
    expect([...(seen.messages[0]?.bundles.keys() ?? [])]).toEqual(["spiffe://shop.example"]);
  });
});

describe("FetchJWTSVID", () => {
  it("brings a token for exactly the audiences named", async () => {
    present();
    const { response } = await fetchJwt(["orders", "billing"]);
    expect(response?.svids.map(({ spiffeId }) => spiffeId)).toEqual([WEB]);
    const [, body = ""] = response?.svids[0]?.svid.split(".") ?? [];
    expect(JSON.parse(Buffer.from(body, "base64url").toString())).toMatchObject({
      sub: WEB,
      aud: ["orders", "billing"],
    });
  });

  it.each([[[]], [[""]], [["orders", ""]], [["a".repeat(1025)]], [Array(33).fill("a")]])(
    "W-i: refuses audiences %j at once with INVALID_ARGUMENT",
    async (audience) => {
      present();
      expect((await fetchJwt(audience)).error?.code).toBe(status.INVALID_ARGUMENT);
    },
  );

  it("gives another identity's token to nobody", async () => {
    present();
    expect((await fetchJwt(["orders"], WEB)).error).toBeNull();
    expect((await fetchJwt(["orders"], "spiffe://shop.example/shop/db")).error?.code).toBe(status.PERMISSION_DENIED);
    expect((await fetchJwt(["orders"], "web")).error?.code).toBe(status.INVALID_ARGUMENT);
  });

  it("E-5: says by its status whether to come back", async () => {
    expect((await fetchJwt(["orders"])).error?.code).toBe(status.UNAVAILABLE);
    provider.set({ kind: "none" });
    expect((await fetchJwt(["orders"])).error?.code).toBe(status.PERMISSION_DENIED);
    present();
    expect((await fetchJwt(["orders"], "", header())).error?.code).toBe(status.INVALID_ARGUMENT);
    provider.issueJwtSvid = async () => ({ ok: false, kind: "unavailable" });
    expect((await fetchJwt(["orders"])).error?.code).toBe(status.UNAVAILABLE);
    provider.issueJwtSvid = async () => ({ ok: false, kind: "denied" });
    expect((await fetchJwt(["orders"])).error?.code).toBe(status.PERMISSION_DENIED);
  });
});

describe("ValidateJWTSVID", () => {
  const token = (change = {}) => jwt.sign({ sub: WEB, aud: "orders", team: "a", ...change });

  it("W-j: tells the identity and the claims, the audience as a list", async () => {
    present();
    const { response } = await validate("orders", token());
    expect(response?.spiffeId).toBe(WEB);
    expect(response?.claims).toMatchObject({ sub: WEB, aud: ["orders"], team: "a", exp: expect.any(Number) });
  });

  it("J-9: tells the registered claims of a foreign token, and others only where they are let through", async () => {
    present();
    const told = async () => {
      const issued = partnerJwt.sign({
        sub: "spiffe://partner.example/a",
        aud: "orders",
        jti: "1",
        team: "a",
        role: "b",
      });
      return Object.keys((await validate("orders", issued)).response?.claims ?? {}).sort();
    };
    expect(await told()).toEqual(["aud", "exp", "iat", "jti", "sub"]);
    provider.foreignClaims = ["team"];
    expect(await told()).toEqual(["aud", "exp", "iat", "jti", "sub", "team"]);
  });

  it.each([
    ["no audience", "", token()],
    ["no token", "orders", ""],
    ["another audience", "billing", token()],
    ["an expired token", "orders", token({ exp: 1 })],
    [
      "a token of nobody",
      "orders",
      createJwtAuthority({ trustDomain: "shop.example" }).sign({ sub: WEB, aud: "orders" }),
    ],
    [
      "an untrusted domain",
      "orders",
      createJwtAuthority({ trustDomain: "x" }).sign({ sub: "spiffe://x/a", aud: "orders" }),
    ],
    ["something else", "orders", "a.b.c"],
  ])("W-i: %s is an INVALID_ARGUMENT", async (_, audience, svid) => {
    present();
    const { error } = await validate(audience, svid);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
  });

  it("E-2: needs the security header and an identity like every call", async () => {
    expect((await validate("orders", token())).error?.code).toBe(status.UNAVAILABLE);
    present();
    expect((await validate("orders", token(), header())).error?.code).toBe(status.INVALID_ARGUMENT);
  });
});

describe("the endpoint", () => {
  const call = (path: string, metadata = header("true")) =>
    new Promise<status>((resolve) => {
      const asIs = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), metadata, (error) =>
        resolve(error?.code ?? status.OK),
      );
    });

  it("E-1, E-4: serves whoever reaches its socket, over gRPC without TLS, and asks for no credential", async () => {
    present();
    const { path, requestSerialize, responseDeserialize } = service.fetchX509Svid;
    const bare = new Client(`unix:${served.path}`, credentials.createInsecure());
    const seen = collect(bare.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, header("true")));
    await messages(seen, 1);
    bare.close();
  });

  it("E-6: serves the standard's methods alone, and says UNIMPLEMENTED to any other", async () => {
    for (const path of ["/SpiffeWorkloadAPI/FetchWITSVID", "/SpiffeWorkloadAPI/Extra", "/other.Service/Method"]) {
      expect(await call(path)).toBe(status.UNIMPLEMENTED);
    }
  });
});

it("a provider without JWT-SVIDs answers FetchJWTSVID with UNIMPLEMENTED", async () => {
  present({
    svid: createTestCa({ trustDomain: "shop.example" })
      .issue({ uris: [WEB] })
      .svid(),
  });
  delete provider.issueJwtSvid;
  expect((await fetchJwt(["orders"])).error?.code).toBe(status.UNIMPLEMENTED);
});
