import { describe, expect, it } from "vitest";
import { parseJwtSvid, parseTrustDomain, SpiffeError, type TrustBundle, verifyJwtSvid } from "./index.ts";
import { createJwtAuthority, encode, JWT_ALGORITHMS, type JwtMembers } from "./testing/index.ts";

const now = new Date("2026-06-01T12:00:00Z");
const seconds = now.getTime() / 1000;
const WEB = "spiffe://shop.example/shop/web";
const authority = createJwtAuthority({ trustDomain: "shop.example", now });
const shop = authority.bundle();
const sound = { sub: WEB, aud: ["orders"] };

async function verify(token: string, bundle: TrustBundle | undefined = shop, audience = "orders"): Promise<string> {
  const bundleOf = () => bundle;
  const result = await verifyJwtSvid(token, { audience, at: now, bundleOf });
  return result.ok ? result.svid.id.toString() : result.code;
}
const claims = (change: JwtMembers) => verify(authority.sign({ ...sound, ...change }));
const header = (change: JwtMembers) => verify(authority.sign(sound, change));

describe("a sound JWT-SVID", () => {
  it("verifies, and names its identity, audience and times", async () => {
    const token = authority.sign({ ...sound, jti: "a", nested: { list: [1, null, "x"] } });
    const result = await verifyJwtSvid(token, { audience: "orders", at: now, bundleOf: () => shop });
    if (!result.ok) throw new Error(result.message);
    expect(`${result.svid.id}`).toBe(WEB);
    expect(result.svid).toMatchObject({ audience: ["orders"], issuedAt: now, token });
    expect(result.svid.expiresAt).toEqual(new Date((seconds + 300) * 1000));
    expect(result.svid.claims.get("nested")).toEqual({ list: [1, null, "x"] });
  });

  it.each(JWT_ALGORITHMS)("J-2: may be signed by %s", async (algorithm) => {
    const other = createJwtAuthority({ trustDomain: "shop.example", algorithm, now });
    expect(await verify(other.sign(sound), other.bundle())).toBe(WEB);
  });

  it("J-3: may be of type `JOSE`, or of none", async () => {
    expect([await header({ typ: "JOSE" }), await header({ typ: undefined })]).toEqual([WEB, WEB]);
  });

  it("J-5: may name its audience as a text, and more audiences than one", async () => {
    expect([await claims({ aud: "orders" }), await claims({ aud: ["billing", "orders"] })]).toEqual([WEB, WEB]);
  });

  it("J-8: may carry a `jti`, an `iss` and claims of its own", async () => {
    expect(await claims({ jti: "1", iss: "https://shop.example", team: { name: "a" } })).toBe(WEB);
  });
});

describe("what is no JWT-SVID", () => {
  it.each([
    ["nothing", ""],
    ["two parts", "a.b"],
    ["JSON serialization", JSON.stringify({ payload: "", protected: "", signature: "" })],
    ["padding", authority.sign(sound).replace(".", "=.")],
    ["a line break", `${authority.sign(sound)}\n`],
    ["an encrypted token", "a.b.c.d.e"],
    ["no signature", authority.sign(sound).replace(/[^.]+$/, "")],
    ["too much", `${"a".repeat(70_000)}.b.c`],
  ])("J-1: %s is refused for its form", async (_, token) => {
    expect(await verify(token)).toBe("ERR_SPIFFE_JWT_FORM");
  });

  it.each(["none", "None", "HS256", "EdDSA", "ES256K", "es256", "RSA-OAEP", "", 5, undefined])(
    "J-2: algorithm `%s` is refused before anything else is looked at",
    async (alg) => {
      expect(await verify(`${encode({ alg, kid: "key-1", crit: ["x"] })}.e30.AA`)).toBe("ERR_SPIFFE_JWT_ALGORITHM");
    },
  );

  it.each(["crit", "b64", "jwk", "jku", "x5c", "x5t", "x5u", "cty", "enc", "other"])(
    "J-3: header parameter `%s` is refused",
    async (name) => {
      expect(await header({ [name]: ["x"] })).toBe("ERR_SPIFFE_JWT_HEADER");
    },
  );

  it.each(["jwt", "at+jwt", "wit+jwt", "", null, 1])("J-3: type `%s` is refused", async (typ) => {
    expect(await header({ typ })).toBe("ERR_SPIFFE_JWT_TYPE");
  });

  it.each([undefined, "", 7, null])("J-4: key id `%s` is refused", async (kid) => {
    expect(await header({ kid })).toBe("ERR_SPIFFE_JWT_NO_KEY_ID");
  });

  it("a header or claims that hold a name twice are refused", async () => {
    const twice = encode('{"alg":"ES256","kid":"key-1","kid":"key-2"}');
    expect(await verify(`${twice}.${encode(sound)}.AA`)).toBe("ERR_SPIFFE_JWT_HEADER");
    const head = encode({ alg: "ES256", kid: "key-1" });
    expect(await verify(`${head}.${encode(`{"sub":"${WEB}","sub":"x"}`)}.AA`)).toBe("ERR_SPIFFE_JWT_CLAIMS");
  });

  it.each([undefined, 5, "web", "spiffe://shop.example", "spiffe://shop.example/a/../b", "https://shop.example/web"])(
    "J-5: subject `%s` is refused",
    async (sub) => {
      expect(await claims({ sub })).toBe("ERR_SPIFFE_JWT_SUBJECT");
    },
  );

  it.each([undefined, "", [], [""], ["orders", ""], ["orders", 5], {}, "billing", ["Orders"], ["orders "]])(
    "J-5: audience %j is refused",
    async (aud) => {
      expect(await claims({ aud })).toBe("ERR_SPIFFE_JWT_AUDIENCE");
    },
  );

  it("J-5: a verifier that expects no audience accepts no token", async () => {
    const result = await verifyJwtSvid(authority.sign(sound), { audience: [], at: now, bundleOf: () => shop });
    expect(result).toMatchObject({ ok: false, code: "ERR_SPIFFE_JWT_AUDIENCE" });
  });

  it.each([undefined, null, "1780315500", -1, 1e300])("J-5: expiry %j is refused", async (exp) => {
    expect(await claims({ exp })).toBe("ERR_SPIFFE_JWT_CLAIMS");
  });

  it("J-5: an expired token is refused, from the very instant on", async () => {
    expect(await claims({ exp: seconds })).toBe("ERR_SPIFFE_JWT_EXPIRED");
    expect(await claims({ exp: seconds + 0.5 })).toBe(WEB);
  });

  it("a token of the future is refused; a minute is forgiven to clocks that differ", async () => {
    expect(await claims({ nbf: seconds + 61 })).toBe("ERR_SPIFFE_JWT_NOT_YET_VALID");
    expect(await claims({ iat: seconds + 61 })).toBe("ERR_SPIFFE_JWT_NOT_YET_VALID");
    expect(await claims({ iat: seconds + 59, nbf: seconds + 59 })).toBe(WEB);
    expect(await claims({ iat: "x" })).toBe("ERR_SPIFFE_JWT_CLAIMS");
  });
});

describe("who signed it", () => {
  const partner = createJwtAuthority({ trustDomain: "partner.example", now });

  it("J-6: a key of another trust domain vouches for nobody of this one, under whichever bundle", async () => {
    const forged = partner.sign(sound);
    expect(await verify(forged, shop)).toBe("ERR_SPIFFE_JWT_SIGNATURE");
    expect(await verify(forged, partner.bundle())).toBe("ERR_SPIFFE_JWT_TRUST_DOMAIN");
  });

  it("J-6: the bundle that is asked for is that of the subject's trust domain", async () => {
    const asked: string[] = [];
    const bundleOf = (name: string) => {
      asked.push(name);
      return partner.bundle();
    };
    const token = partner.sign({ sub: "spiffe://partner.example/a", aud: "orders" });
    expect((await verifyJwtSvid(token, { audience: "orders", at: now, bundleOf })).ok).toBe(true);
    expect(asked).toEqual(["partner.example"]);
  });

  it("must be known: without a bundle or its key id the token is refused", async () => {
    const none = { trustDomain: parseTrustDomain("shop.example"), x509Authorities: [], jwtAuthorities: new Map() };
    expect(await verify(authority.sign(sound), none)).toBe("ERR_SPIFFE_JWT_UNKNOWN_AUTHORITY");
    expect(await header({ kid: "key-2" })).toBe("ERR_SPIFFE_JWT_UNKNOWN_AUTHORITY");
    const unknown = await verifyJwtSvid(authority.sign(sound), {
      audience: "orders",
      at: now,
      bundleOf: () => undefined,
    });
    expect(unknown).toMatchObject({ ok: false, code: "ERR_SPIFFE_JWT_TRUST_DOMAIN" });
  });

  it("must fit the algorithm: an RSA key for ES256, P-256 for ES384, or 1024 bits is refused", async () => {
    const rsa = createJwtAuthority({ trustDomain: "shop.example", algorithm: "RS256", now });
    expect(await verify(authority.sign(sound), rsa.bundle())).toBe("ERR_SPIFFE_JWT_KEY");
    expect(await header({ alg: "ES384" })).toBe("ERR_SPIFFE_JWT_KEY");
    const weak = createJwtAuthority({ trustDomain: "shop.example", algorithm: "RS256", now, rsaBits: 1024 });
    expect(await verify(weak.sign(sound), weak.bundle())).toBe("ERR_SPIFFE_JWT_KEY");
  });

  it("is proven: a changed claim, header or signature is refused", async () => {
    const [head = "", , signature = ""] = authority.sign(sound).split(".");
    const other = encode({ ...sound, sub: "spiffe://shop.example/shop/admin", exp: seconds + 300 });
    expect(await verify(`${head}.${other}.${signature}`)).toBe("ERR_SPIFFE_JWT_SIGNATURE");
    const [, body] = authority.sign(sound).split(".");
    const again = encode({ alg: "ES256", kid: "key-1" });
    expect(await verify(`${again}.${body}.${signature}`)).toBe("ERR_SPIFFE_JWT_SIGNATURE");
    expect(await verify(`${head}.${body}.${Buffer.alloc(64).toString("base64url")}`)).toBe("ERR_SPIFFE_JWT_SIGNATURE");
  });
});

describe("parseJwtSvid", () => {
  it("reads what a holder has, without a bundle, and refuses what is none", () => {
    expect(`${parseJwtSvid(authority.sign(sound)).id}`).toBe(WEB);
    expect(() => parseJwtSvid("x")).toThrow(SpiffeError);
  });
});
