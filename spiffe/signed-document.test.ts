import { sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  parseSpiffeId,
  type SignedDocument,
  signDocument,
  systemId,
  verifySignedDocument,
  type X509Svid,
} from "./index.ts";
import { createTestCa, type IssueOptions } from "./testing/index.ts";

const now = new Date("2026-06-01T12:00:00Z");
const ca = createTestCa({ trustDomain: "shop.example", now });
const issuer = ca.intermediate();
const signer = systemId(ca.trustDomain, "policy-signer");
const typ = "cellwall-bundle+jws";
const payload = Buffer.from('{"format":"cellwall.bundle/1"}');
const svidOf = (options: Partial<IssueOptions> = {}): X509Svid =>
  issuer.issue({ uris: [signer.toString()], ...options }).svid();
const svid = svidOf();

async function verify(signature: string, changes: Partial<SignedDocument> = {}): Promise<string> {
  const result = await verifySignedDocument({
    payload,
    signature,
    typ,
    signer,
    bundle: ca.bundle(),
    at: now,
    ...changes,
  });
  return result.ok ? "ok" : result.code;
}

/** A JWS with any header at all, soundly signed. */
function forge(
  header: string | Record<string, unknown>,
  body: string = payload.toString("base64url"),
  by = svid,
): string {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const encoded = Buffer.from(text).toString("base64url");
  const key = { key: by.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${encoded}..${sign("sha256", Buffer.from(`${encoded}.${body}`), key).toString("base64url")}`;
}
const x5c = svid.chain.map(({ raw }) => raw.toString("base64"));
const header = { alg: "ES256", typ, x5c };

describe("a signed document", () => {
  it("verifies for its signer, type and bytes", async () => {
    expect(await verify(await signDocument({ payload, typ, svid }))).toBe("ok");
    expect(await verify(forge(header))).toBe("ok");
  });

  it("carries exactly alg, typ and the chain without the root", async () => {
    const withRoot = { ...svid, chain: [...svid.chain, ca.root] };
    const [encoded = ""] = (await signDocument({ payload, typ, svid: withRoot })).split("..");
    expect(JSON.parse(Buffer.from(encoded, "base64url").toString())).toEqual(header);
  });

  it("is refused when any bit of the payload, the header or the signature changes", async () => {
    const signature = await signDocument({ payload, typ, svid });
    for (let at = 0; at < payload.length; at++) {
      const changed = Buffer.from(payload);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await verify(signature, { payload: changed })).toBe("ERR_SPIFFE_DOCUMENT_SIGNATURE");
    }
    for (let at = signature.length - 1; at >= 0; at -= 7) {
      const changed = signature.slice(0, at) + (signature[at] === "B" ? "C" : "B") + signature.slice(at + 1);
      expect(await verify(changed)).not.toBe("ok");
    }
    expect(await verify(signature, { payload: Buffer.alloc(0) })).toBe("ERR_SPIFFE_DOCUMENT_SIGNATURE");
  });

  it("is signed by exactly the identity that is asked for", async () => {
    const other = await signDocument({
      payload,
      typ,
      svid: svidOf({ uris: ["spiffe://shop.example/cellwall/authority"] }),
    });
    expect(await verify(other)).toBe("ERR_SPIFFE_DOCUMENT_SIGNER");
    const below = await signDocument({ payload, typ, svid: svidOf({ uris: [`${signer}/x`] }) });
    expect(await verify(below)).toBe("ERR_SPIFFE_DOCUMENT_SIGNER");
    const sound = await signDocument({ payload, typ, svid });
    expect(await verify(sound, { signer: parseSpiffeId("spiffe://shop.example/web") })).toBe(
      "ERR_SPIFFE_DOCUMENT_SIGNER",
    );
  });

  it("is refused from a namesake under another authority, and from another trust domain", async () => {
    const rogue = createTestCa({ trustDomain: "shop.example", now, subject: "Rogue" });
    const namesake = await signDocument({ payload, typ, svid: rogue.issue({ uris: [signer.toString()] }).svid() });
    expect(await verify(namesake)).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
    const foreign = createTestCa({ trustDomain: "bank.example", now });
    const abroad = foreign.issue({ uris: ["spiffe://bank.example/cellwall/policy-signer"] }).svid();
    expect(await verify(await signDocument({ payload, typ, svid: abroad }))).toBe("ERR_SPIFFE_CHAIN_TRUST_DOMAIN");
  });

  it("is refused when the signer's certificate is not valid at that time, or has two identities", async () => {
    const signature = await signDocument({ payload, typ, svid });
    expect(await verify(signature, { at: new Date(svid.notAfter.getTime() + 1000) })).toBe("ERR_SPIFFE_CHAIN_EXPIRED");
    const two = issuer.issue({ uris: [signer.toString(), "spiffe://shop.example/web"] });
    const chain = two.chain.map(({ raw }) => raw.toString("base64"));
    const signed = forge({ ...header, x5c: chain }, undefined, { ...svid, privateKey: two.privateKey });
    expect(await verify(signed)).toBe("ERR_SPIFFE_SVID_MANY_URIS");
  });

  it("is not taken for a document of another type", async () => {
    const signature = await signDocument({ payload, typ: "cellwall-revocations+jws", svid });
    expect(await verify(signature)).toBe("ERR_SPIFFE_DOCUMENT_TYPE");
    expect(await verify(signature, { typ: "cellwall-revocations+jws" })).toBe("ok");
  });

  it("is refused when the key in the header is not the one that signed", async () => {
    const other = svidOf();
    expect(await verify(forge(header, undefined, other))).toBe("ERR_SPIFFE_DOCUMENT_SIGNATURE");
  });
});

describe("the protected header", () => {
  it.each<[string, Record<string, unknown>]>([
    ["kid", { ...header, kid: "k" }],
    ["jku", { ...header, jku: "https://evil.example/keys" }],
    ["jwk", { ...header, jwk: svid.privateKey.export({ format: "jwk" }) }],
    ["x5u", { ...header, x5u: "https://evil.example/cert" }],
    ["crit", { ...header, crit: ["exp"], exp: 0 }],
    ["crit, empty", { ...header, crit: [] }],
    ["cty", { ...header, cty: "json" }],
    ["no x5c", { alg: "ES256", typ }],
    ["an empty x5c", { ...header, x5c: [] }],
    ["an x5c that is a text", { ...header, x5c: x5c[0] }],
    ["an x5c of nine", { ...header, x5c: Array(9).fill(x5c[0]) }],
    ["an x5c in base64url", { ...header, x5c: svid.chain.map(({ raw }) => raw.toString("base64url")) }],
    ["an x5c of other things", { ...header, x5c: [x5c[0], "AAAA"] }],
    ["an x5c of numbers", { ...header, x5c: [x5c[0], 7] }],
  ])("is refused with %s", async (_what, changed) => {
    expect(await verify(forge(changed))).toBe("ERR_SPIFFE_DOCUMENT_HEADER");
  });

  it("is refused with b64, which would change what is signed", async () => {
    const signature = forge({ ...header, b64: false, crit: ["b64"] }, payload.toString());
    expect(await verify(signature)).toBe("ERR_SPIFFE_DOCUMENT_HEADER");
  });

  it("is refused with a parameter that stands twice", async () => {
    const text = `${JSON.stringify(header).slice(0, -1)},"alg":"ES256"}`;
    expect(await verify(forge(text))).toBe("ERR_SPIFFE_DOCUMENT_HEADER");
  });

  it.each(["none", "HS256", "ES384", "RS256", "PS256", "EdDSA", "es256", 256, undefined])(
    "is refused with alg %s",
    async (alg) => {
      expect(await verify(forge({ ...header, alg }))).toBe("ERR_SPIFFE_DOCUMENT_ALGORITHM");
    },
  );

  it.each([undefined, "JOSE", "CELLWALL-BUNDLE+JWS", [typ]])("is refused with typ %s", async (other) => {
    expect(await verify(forge({ ...header, typ: other }))).toBe("ERR_SPIFFE_DOCUMENT_TYPE");
  });

  it.each(["p384", "rsa2048", "ed25519"] as const)("is refused with a key of kind %s", async (keyKind) => {
    const strange = svidOf({ keyKind });
    await expect(signDocument({ payload, typ, svid: strange })).rejects.toMatchObject({
      code: "ERR_SPIFFE_DOCUMENT_KEY",
    });
    const chain = strange.chain.map(({ raw }) => raw.toString("base64"));
    expect(await verify(forge({ ...header, x5c: chain }))).toBe("ERR_SPIFFE_DOCUMENT_KEY");
  });
});

describe("the detached form", () => {
  it.each([
    "",
    ".",
    "..",
    "a..",
    "..a",
    "a.b.c",
    "a...b",
    "a..b..c",
    " a..b",
    "a..b=",
    "a..b\n",
    "[]..e30",
    "e30..e30",
  ])("refuses %j", async (signature) => {
    expect(await verify(signature)).toMatch(/^ERR_SPIFFE_DOCUMENT_(FORM|HEADER|ALGORITHM)$/);
  });

  it("has one spelling: stray bits in the last character are refused", async () => {
    const signature = await signDocument({ payload, typ, svid });
    const changed = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
    const bytes = (text: string): Buffer => Buffer.from(text.split("..")[1] ?? "", "base64url");
    expect(bytes(changed)).toEqual(bytes(signature));
    expect(await verify(changed)).toBe("ERR_SPIFFE_DOCUMENT_FORM");
  });

  it("refuses an attached payload", async () => {
    expect(await verify(forge(header).replace("..", `.${payload.toString("base64url")}.`))).toBe(
      "ERR_SPIFFE_DOCUMENT_FORM",
    );
  });

  it("refuses a header beyond 64 KiB and one that is no JSON", async () => {
    expect(await verify(`${"A".repeat(70_000)}..AAAA`)).toBe("ERR_SPIFFE_DOCUMENT_FORM");
    expect(await verify(forge("{"))).toBe("ERR_SPIFFE_DOCUMENT_HEADER");
    expect(await verify(forge("[]"))).toBe("ERR_SPIFFE_DOCUMENT_HEADER");
  });
});
