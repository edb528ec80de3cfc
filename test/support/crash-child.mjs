// An authority as a process of its own that works until it is killed: at a named point, or by whoever started it.
// Prints `ack <serial>` for everything that was answered. Arguments: folder, point (or `-`), how often to pass it.
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { signingRequest } from "../../dist/ca/certificate-request.js";
import { openCertificateAuthority } from "../../dist/ca/index.js";
import { parseDocuments, resolve } from "../../dist/policies/index.js";
import { parseTrustDomain } from "../../dist/spiffe/index.js";
import { openStore } from "../../dist/store/index.js";

const [folder = "", point = "-", passes = "0"] = process.argv.slice(2);
const WEB = "spiffe://shop.example/shop/web";
const MESH = (revision) => `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { revision: "r${revision}" } }
spec: { mode: enforce }
`;

let left = Number(passes);
const reached = (at) => {
  if (at !== point) return;
  if (left === 0) process.kill(process.pid, "SIGKILL");
  left -= 1;
};
const setOf = (revision) => {
  const { documents, diagnostics } = parseDocuments([{ path: "mesh.yaml", text: MESH(revision) }]);
  return resolve(documents, { diagnostics });
};
const csr = (uri) => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return signingRequest(privateKey, uri).toString("base64url");
};
const acknowledge = (serial) => process.stdout.write(`ack ${serial}\n`);

const store = await openStore({ file: join(folder, "ca.db") });
const ca = await openCertificateAuthority({
  store,
  keyFolder: join(folder, "keys"),
  trustDomain: parseTrustDomain("shop.example"),
  clock: () => new Date(),
  reached,
});
ca.setRegistry(setOf(0), { localNode: "here" });
const { token } = await ca.createJoinToken("here");
const agent = await ca.enrol({ token, csr: csr("spiffe://shop.example/cellwall/agent/here") });
acknowledge(agent.certificate.serial);
process.stdout.write("working\n");
for (let round = 0; ; round += 1) {
  // Calls that come at once share a commit.
  const calls = [1, 2, 3].map(async (count) => {
    const requests = Array.from({ length: count }, () => ({ identity: WEB, csr: csr(WEB) }));
    const { certificates } = await ca.issueSvids("here", { requests });
    for (const { serial } of certificates) acknowledge(serial);
  });
  await Promise.all(calls);
  const published = await ca.publishBundle(setOf(round), "test");
  process.stdout.write(`revision ${published.revision}\n`);
  for (const what of ["intermediate", "jwt", "root"]) {
    await ca.rotate({ what, compromised: false, force: true, deadlineSeconds: 1, reason: "" });
  }
}
