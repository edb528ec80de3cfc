import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import { certificatesToPem, parseSpiffeId, type TrustDomain } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import { generateKey } from "./key-folder.ts";
import { issuerOf, type RandomBytes, signIntermediateFor, signRoot } from "./profile.ts";
import { spkiOf } from "./public-key.ts";

/** What a ceremony works with beside keys and certificates. */
export interface CeremonyParts {
  readonly trustDomain: TrustDomain;
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

const DAY_MS = 86_400_000;

/** A root for a machine without a network: its certificate as PEM, and its key. */
export function makeOfflineRoot(
  parts: CeremonyParts,
  days: number,
): { readonly certificate: string; readonly key: KeyObject } {
  const key = generateKey();
  const { random, trustDomain } = parts;
  const root = signRoot({ trustDomain, key, validity: validityOf(parts, days), random });
  return { certificate: certificatesToPem([root.certificate]), key };
}

/**
 * Signs an intermediate by a request, with a root that is kept elsewhere: path length 0, the trust domain's URI. Throws
 * `ERR_CA_CSR` for a request that is not sound or asks for another name, `ERR_CA_IMPORT` for a key that is not the root's.
 */
export function signRequest(
  parts: CeremonyParts,
  root: { readonly certificate: X509Certificate; readonly key: KeyObject },
  request: Uint8Array,
  days: number,
): X509Certificate {
  if (!spkiOf(createPublicKey(root.key)).equals(spkiOf(root.certificate.publicKey))) {
    throw new CaError("ERR_CA_IMPORT", "the key is not that of the root's certificate");
  }
  const { random, trustDomain } = parts;
  const publicKey = parseCsr(request, parseSpiffeId(`spiffe://${trustDomain}`));
  const issuer = issuerOf(root.certificate, root.key);
  return signIntermediateFor({ trustDomain, publicKey, issuer, validity: validityOf(parts, days), random });
}

function validityOf({ clock }: CeremonyParts, days: number) {
  const second = Math.floor(clock().getTime() / 1000) * 1000;
  return { notBefore: new Date(second - 60_000), notAfter: new Date(second + days * DAY_MS) };
}
