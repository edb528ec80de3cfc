import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import forge from "node-forge";
import { fetchSvid } from "../../compose/app/fetch-svid.ts";
import {
  buildCertificate,
  type CertificateFields,
  createTestCa,
  randomSerial,
  type Signer,
  type TestCertificate,
} from "../../spiffe/testing/index.ts";
import type { Shown } from "./straight.ts";

/** Names and other fields of a forged leaf. */
export type Forgery = Partial<Pick<CertificateFields, "uris" | "dns" | "notAfter" | "ca" | "keyUsage">>;

/** A workload's own identity, as any process that may open its Workload API socket gets it. */
export function ownIdentity(workloadSocket: string): Promise<Shown> {
  return fetchSvid(workloadSocket);
}

/** A certificate of an authority that the mesh does not know, whatever it claims. */
export function ofAnotherAuthority(trustDomain: string, uri: string): Shown {
  const leaf: TestCertificate = createTestCa({ trustDomain })
    .intermediate()
    .issue({ uris: [uri] });
  return { certificates: leaf.chainPem, privateKey: leaf.keyPem };
}

/** A certificate that a broken authority would issue: signed with the mesh's own intermediate key, taken from its folder. */
export function ofBrokenAuthority(keyFolder: string, own: Shown, forgery: Forgery): Shown {
  const intermediate = new X509Certificate(pemCertificates(own.certificates)[1] ?? "");
  const signer = { key: keyOf(keyFolder, intermediate), name: subjectOf(intermediate) };
  return forged(own, forgery, signer, intermediate);
}

/** A certificate that a workload signs for itself with its own key, as if its leaf were an authority. */
export function ofOwnLeaf(own: Shown, forgery: Forgery): Shown {
  const [leaf = "", intermediate = ""] = pemCertificates(own.certificates);
  const certificate = new X509Certificate(leaf);
  const signer = { key: createPrivateKey(own.privateKey), name: subjectOf(certificate) };
  const made = forged(own, forgery, signer, certificate);
  return { ...made, certificates: `${made.certificates}${intermediate}` };
}

function forged(own: Shown, forgery: Forgery, signer: Signer, issuer: X509Certificate): Shown {
  const now = Date.now();
  const fields: CertificateFields = {
    uris: [],
    dns: [],
    ips: [],
    sanCritical: true,
    ca: false,
    pathLength: undefined,
    keyUsage: ["digitalSignature"],
    keyUsageCritical: true,
    extendedKeyUsage: ["serverAuth", "clientAuth"],
    extensions: [],
    subject: "",
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 600_000),
    serial: randomSerial(),
    digest: "sha256",
    version: 3,
    ...forgery,
  };
  const leaf = buildCertificate(fields, createPublicKey(own.privateKey), signer);
  return { certificates: `${leaf.toString()}${issuer.toString()}`, privateKey: own.privateKey };
}

function subjectOf(certificate: X509Certificate): Uint8Array {
  const { asn1 } = forge;
  const body = children(children(asn1.fromDer(certificate.raw.toString("latin1")))[0]);
  // TBSCertificate: [0] version, serial, signature, issuer, validity, subject.
  const subject = body[5];
  if (subject === undefined) throw new Error("a certificate without a subject");
  return Buffer.from(asn1.toDer(subject).getBytes(), "latin1");
}

function children(node: forge.asn1.Asn1 | undefined): readonly forge.asn1.Asn1[] {
  return Array.isArray(node?.value) ? node.value : [];
}

/** The key that belongs to a certificate, among an authority's keys. */
function keyOf(folder: string, certificate: X509Certificate): KeyObject {
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".pem"))) {
    const key = createPrivateKey(readFileSync(join(folder, name)));
    if (createPublicKey(key).equals(certificate.publicKey)) return key;
  }
  throw new Error(`no key of the certificate is in ${folder}`);
}

function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
}
