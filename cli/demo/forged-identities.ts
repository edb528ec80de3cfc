import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { forgeCertificate } from "./forged-certificate.ts";
import { appOf, type LocalStage, type Stage } from "./step.ts";

/** A certificate chain, leaf first, and the leaf's key, as PEM. */
export interface Identity {
  readonly certificates: string;
  readonly privateKey: string;
}

const TRUST_DOMAIN = "shop.example";

/** A certificate of another trust domain, of an authority that the shop does not know. */
export function foreign(stage: Stage): Promise<Identity> {
  return ofOwnAuthority(stage, "intruder", "spiffe://elsewhere.example/shop/web");
}

/** A certificate that claims to be the shop's `web`, of an authority that the shop does not know. */
export function impostor(stage: Stage): Promise<Identity> {
  return ofOwnAuthority(stage, "intruder", `spiffe://${TRUST_DOMAIN}/shop/web`);
}

/**
 * A certificate with two identities that the shop's own authority has signed: what a broken authority would issue. The demo takes the
 * authority's key from its state folder for that; the authority itself has no way to sign such a thing.
 */
export function twoIdentities(stage: LocalStage): Promise<Identity> {
  const uris = [`spiffe://${TRUST_DOMAIN}/shop/web`, `spiffe://${TRUST_DOMAIN}/shop/intruder`];
  return signedWith(join(stage.mesh.stateDir, "authority", "keys"), stage, "intruder", uris);
}

/** A certificate for the actor's key with this identity, of an authority that the actor made itself. */
export async function ofOwnAuthority(stage: Stage, actor: string, uri: string): Promise<Identity> {
  const own = await identityOf(stage, actor);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificates = forgeCertificate({
    leaf: own.certificates,
    uris: [uri],
    signingKey: privateKey,
    issuer: `the own authority of ${actor}`,
  });
  return { certificates, privateKey: own.privateKey };
}

/** A certificate for the actor's key with these identities, signed with the keys of the authority that issued the actor's own. */
export async function signedWith(
  keys: string,
  stage: Stage,
  actor: string,
  uris: readonly string[],
): Promise<Identity> {
  const own = await identityOf(stage, actor);
  const [leaf, intermediate] = pemCertificates(own.certificates);
  if (leaf === undefined || intermediate === undefined) throw new Error(`the chain of ${actor} has no intermediate`);
  const forged = forgeCertificate({ leaf, uris, signingKey: signingKeyOf(keys, intermediate) });
  return { certificates: `${forged}${intermediate}`, privateKey: own.privateKey };
}

/** The actor's own identity, from its Workload API. */
export function identityOf(stage: Stage, actor: string): Promise<Identity> {
  return appOf(stage, actor).identity(stage.mesh.sockets(actor).workload);
}

/** The key that belongs to a certificate, among the authority's keys. */
function signingKeyOf(folder: string, certificate: string): KeyObject {
  const wanted = new X509Certificate(certificate).publicKey;
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".pem"))) {
    const key = createPrivateKey(readFileSync(join(folder, name)));
    if (createPublicKey(key).equals(wanted)) return key;
  }
  throw new Error(`no key of the signing certificate is in ${folder}`);
}

function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
}
