import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { forgeCertificate } from "./forged-certificate.ts";
import { appOf, type LocalStage, type Stage } from "./step.ts";

interface Identity {
  readonly certificates: string;
  readonly privateKey: string;
}

const TRUST_DOMAIN = "shop.example";

/** A certificate of another trust domain, of an authority that this mesh does not know. */
export function foreign(stage: Stage): Promise<Identity> {
  return ofOwnAuthority(stage, "spiffe://elsewhere.example/shop/web");
}

/** A certificate that claims to be this mesh's `web`, of an authority that this mesh does not know. */
export function impostor(stage: Stage): Promise<Identity> {
  return ofOwnAuthority(stage, `spiffe://${TRUST_DOMAIN}/shop/web`);
}

/**
 * A certificate with two identities that this mesh's own authority has signed: what a broken authority would issue. The demo takes the
 * authority's key from its state folder for that; the authority itself has no way to sign such a thing.
 */
export async function twoIdentities(stage: LocalStage): Promise<Identity> {
  const own = await ownIdentity(stage);
  const [leaf, intermediate] = pemCertificates(own.certificates);
  if (leaf === undefined || intermediate === undefined) throw new Error("the intruder's chain has no intermediate");
  const uris = [`spiffe://${TRUST_DOMAIN}/shop/web`, `spiffe://${TRUST_DOMAIN}/shop/intruder`];
  const forged = forgeCertificate({ leaf, uris, signingKey: signingKeyOf(stage, intermediate) });
  return { certificates: `${forged}${intermediate}`, privateKey: own.privateKey };
}

async function ofOwnAuthority(stage: Stage, uri: string): Promise<Identity> {
  const own = await ownIdentity(stage);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificates = forgeCertificate({
    leaf: own.certificates,
    uris: [uri],
    signingKey: privateKey,
    issuer: "the intruder's own authority",
  });
  return { certificates, privateKey: own.privateKey };
}

function ownIdentity(stage: Stage): Promise<Identity> {
  return appOf(stage, "intruder").identity(stage.mesh.sockets("intruder").workload);
}

/** The key that belongs to a certificate, among the authority's keys. */
function signingKeyOf(stage: LocalStage, certificate: string): KeyObject {
  const wanted = new X509Certificate(certificate).publicKey;
  const folder = join(stage.mesh.stateDir, "authority", "keys");
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".pem"))) {
    const key = createPrivateKey(readFileSync(join(folder, name)));
    if (createPublicKey(key).equals(wanted)) return key;
  }
  throw new Error(`no key of the signing certificate is in ${folder}`);
}

function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
}
