import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJwtAuthority, createTestCa } from "../../spiffe/testing/index.ts";
import { type ServedWorkloadApi, SettableProvider, serveWorkloadApi } from "../../spiffe/workload-api/testing/serve.ts";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const WEB = "spiffe://shop.example/shop/web";
const ca = createTestCa({ trustDomain: "shop.example" });
const jwt = createJwtAuthority({ trustDomain: "shop.example" });
const own = { ...ca.bundle(), jwtAuthorities: jwt.bundle().jwtAuthorities };
const folder = useTempFolder();
let provider: SettableProvider;
let served: ServedWorkloadApi;
beforeEach(async () => {
  provider = new SettableProvider();
  provider.issueJwtSvid = async (id, audience) => ({ ok: true, token: jwt.sign({ sub: `${id}`, aud: audience }) });
  const trust = { trustDomain: ca.trustDomain, bundles: new Map([[ca.trustDomain, own]]) };
  provider.set({ kind: "present", svid: ca.issue({ uris: [WEB] }).svid(), trust });
  served = await serveWorkloadApi(provider);
});
afterEach(() => served.stop());

async function cellwall(args: readonly string[], stdin = "") {
  const io = capturedIo(folder(), { env: { SPIFFE_ENDPOINT_SOCKET: served.address }, stdin });
  return { code: await run(["svid", ...args, "--address", served.address], io), out: io.out(), err: io.err() };
}

describe("cellwall svid x509", () => {
  it("shows the identity and writes it into files, the key for its owner only, again and again", async () => {
    for (let time = 0; time < 2; time++) {
      const { code, out } = await cellwall(["x509", "--write", "tls"]);
      expect([code, out.split("\n")[0]]).toEqual([0, WEB]);
      expect(out).toContain("shop.example (1 root)");
    }
    const at = (name: string) => join(folder(), "tls", name);
    expect(new X509Certificate(readFileSync(at("svid.pem"))).subjectAltName).toBe(`URI:${WEB}`);
    expect(readFileSync(at("bundle.pem"), "utf8")).toBe(ca.rootPem);
    expect([statSync(at("key.pem")).mode & 0o777, statSync(at("svid.pem")).mode & 0o777]).toEqual([0o600, 0o644]);
  });

  it("says why there is no identity when the time is up", async () => {
    provider.set({ kind: "none" });
    const { code, err } = await cellwall(["x509", "--timeout", "0.5"]);
    expect([code, err]).toEqual([3, expect.stringContaining("no identity for this program: no identity issued")]);
    expect((await cellwall(["x509", "--timeout", "x"])).code).toBe(2);
  });
});

describe("cellwall svid jwt and validate", () => {
  it("print a token, and whom it proves", async () => {
    const { code, out: token } = await cellwall(["jwt", "--audience", "orders"]);
    expect([code, token.split(".").length]).toEqual([0, 3]);
    const shown = await cellwall(["validate", "--audience", "orders"], token);
    expect([shown.code, shown.out.split("\n")[0]]).toEqual([0, WEB]);
    const elsewhere = await cellwall(["validate", "--audience", "billing"], token);
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining("meant for another audience")]);
  });
});
