/**
 * Measures the CPU of one X.509-SVID from a request: checks, signature, ledger and answer, without HTTP, against one bare signature of
 * the same process, as both depend on the machine and what else runs on it.
 *
 *   npx rolldown test/bench/issue.ts --platform node --external libsql --file .cache/bench-issue.mjs && node .cache/bench-issue.mjs
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signingRequest } from "../../ca/certificate-request.ts";
import { openCertificateAuthority } from "../../ca/index.ts";
import { parseDocuments, resolve } from "../../policies/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";

const WEB = "spiffe://shop.example/shop/web";
const MESH = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop }
spec: { mode: enforce }
`;
const ROUNDS = 5;
const ITEMS = 500;

const keyOf = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const csrOf = (uri: string): string => signingRequest(keyOf(), uri).toString("base64url");

/** CPU milliseconds of one item, user and system. */
async function cpuMs(items: number, run: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1000 / items;
}

const folder = mkdtempSync(join(tmpdir(), "cellwall-bench-"));
const store = await openStore({ file: join(folder, "ca.db") });
const ca = await openCertificateAuthority({
  store,
  keyFolder: join(folder, "keys"),
  trustDomain: parseTrustDomain("shop.example"),
  clock: () => new Date(),
});
const { documents, diagnostics } = parseDocuments([{ path: "mesh.yaml", text: MESH }]);
ca.setRegistry(resolve(documents, { diagnostics }), { localNode: "here" });
const { token } = await ca.createJoinToken("here");
await ca.enrol({ token, csr: csrOf("spiffe://shop.example/cellwall/agent/here") });

const requests = Array.from({ length: ITEMS }, () => ({ identity: WEB, csr: csrOf(WEB) }));
const signer = keyOf();
const message = Buffer.alloc(600, 7);
const best = { signature: Number.POSITIVE_INFINITY, single: Number.POSITIVE_INFINITY, batch: Number.POSITIVE_INFINITY };
for (let round = 0; round < ROUNDS; round += 1) {
  const signature = await cpuMs(2_000, () => {
    for (let each = 0; each < 2_000; each += 1) sign("sha256", message, signer);
  });
  const single = await cpuMs(ITEMS, async () => {
    for (const request of requests) await ca.issueSvids("here", { requests: [request] });
  });
  const batch = await cpuMs(ITEMS, async () => {
    for (let at = 0; at < ITEMS; at += 25) await ca.issueSvids("here", { requests: requests.slice(at, at + 25) });
  });
  best.signature = Math.min(best.signature, signature);
  best.single = Math.min(best.single, single);
  best.batch = Math.min(best.batch, batch);
}
await ca.close();
await store.close();
rmSync(folder, { recursive: true, force: true });

const line = (name: string, ms: number): string =>
  `${name.padEnd(28)} ${ms.toFixed(3)} ms CPU  ${(ms / best.signature).toFixed(1)} x a signature`;
process.stdout.write(
  `${[
    line("bare signature", best.signature),
    line("X.509-SVID, one a call", best.single),
    line("X.509-SVID, 25 a call", best.batch),
  ].join("\n")}\n`,
);
