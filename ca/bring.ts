import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import { certificatesFromPem, publicKeyFingerprint } from "../spiffe/index.ts";
import type { Authorities } from "./authorities.ts";
import { type BroughtChain, demandSelfSigned, demandUsable } from "./brought-chain.ts";
import { CaError } from "./ca-error.ts";
import { signingRequest } from "./certificate-request.ts";
import type { CaContext } from "./context.ts";
import { pemOf, tryReadKey } from "./encrypted-key.ts";
import { type Made, type MadeIssuer, madeOf, makeIntermediate } from "./making.ts";
import { issuerOf } from "./profile.ts";
import { spkiOf } from "./public-key.ts";
import type { Rotatable } from "./rotatable.ts";

/** What people bring, as PEM. */
export interface Brought {
  /** The root's certificate. */
  readonly root: string;
  /** The root's key, where it is to be kept here. */
  readonly rootKey?: KeyObject | undefined;
  /** The intermediate's certificate, and what is between it and the root. */
  readonly chain?: string | undefined;
  /** The intermediate's key; else that of a request. */
  readonly key?: KeyObject | undefined;
}

const REQUESTED = "requested";

/** Makes a key and a request for an intermediate, as PEM; the key waits beside the others. */
export async function requestIntermediate(
  context: Pick<CaContext, "keys" | "random" | "trustDomain">,
): Promise<string> {
  const { keys, random, trustDomain } = context;
  const key = await keys.create(`${REQUESTED}-${random(8).toString("hex")}`);
  return pemOf("CERTIFICATE REQUEST", signingRequest(key, `spiffe://${trustDomain}`));
}

/** A root and an intermediate to begin with; throws `ERR_CA_IMPORT`. */
export async function foundOn(context: CaContext, brought: Brought): Promise<readonly MadeIssuer[]> {
  const root = onlyOne(brought.root);
  const { rootKey } = brought;
  const rootName = rootKey === undefined ? undefined : await adopt(context, "root", rootKey);
  const madeRoot = madeOf("root", rootName, root, []);
  if (brought.chain === undefined) {
    if (rootKey === undefined) throw refused("a root without its key needs an intermediate that it has signed");
    if (!spkiOf(createPublicKey(rootKey)).equals(spkiOf(root.publicKey))) throw refused("the key is not the root's");
    const issuer = issuerOf(root, rootKey);
    const intermediate = await makeIntermediate(context, issuer);
    const key = intermediate.issuer.privateKey;
    demandUsable(context, { root, chain: [intermediate.issuer.certificate], key });
    return [{ made: madeRoot, issuer }, intermediate];
  }
  const chain = await readChain(context, root, brought.chain, brought.key);
  const intermediate = await madeIntermediate(context, chain);
  return [{ made: madeRoot, issuer: intermediate.issuer }, intermediate];
}

/** Lays what was brought beside what is in use; gives what it replaces. Throws `ERR_CA_IMPORT`. */
export async function makeBrought(
  context: CaContext,
  current: Authorities,
  brought: Brought,
): Promise<{ readonly what: Rotatable; readonly made: readonly Made[] }> {
  const root = onlyOne(brought.root);
  if (brought.chain === undefined) throw refused("there is no intermediate");
  const chain = await readChain(context, root, brought.chain, brought.key);
  const intermediate = (await madeIntermediate(context, chain)).made;
  const isSame = publicKeyFingerprint(root) === publicKeyFingerprint(current.root.certificate);
  if (isSame) return { what: "intermediate", made: [intermediate] };
  return { what: "root", made: [madeOf("root", undefined, root, []), intermediate] };
}

/** Removes the keys of requests that have been answered. */
export async function forgetRequest({ keys }: CaContext, key: KeyObject): Promise<void> {
  for (const name of await requested(keys)) {
    if (isSameKey(await keys.read(name), key)) await keys.remove([name]);
  }
}

async function readChain(
  context: CaContext,
  root: X509Certificate,
  pem: string,
  given: KeyObject | undefined,
): Promise<BroughtChain> {
  demandSelfSigned(root);
  const fingerprint = publicKeyFingerprint(root);
  const chain = readPem(pem).filter((one) => publicKeyFingerprint(one) !== fingerprint);
  const key = given ?? (await keyOf(context, chain[0]));
  if (key === undefined) {
    throw refused(
      "no request was made here for the intermediate's key",
      "bring the key along, or make a request with `cellwall ca request`",
    );
  }
  const brought = { root, chain, key };
  demandUsable(context, brought);
  return brought;
}

async function madeIntermediate(context: CaContext, { chain, key }: BroughtChain): Promise<MadeIssuer> {
  const [intermediate, ...links] = chain;
  if (intermediate === undefined) throw refused("there is no intermediate");
  const keyName = await adopt(context, "intermediate", key);
  return { issuer: issuerOf(intermediate, key), made: madeOf("intermediate", keyName, intermediate, links) };
}

async function adopt({ keys, random }: CaContext, role: "root" | "intermediate", key: KeyObject): Promise<string> {
  const keyName = `${role}-${random(8).toString("hex")}`;
  await keys.adopt(keyName, key);
  return keyName;
}

async function keyOf({ keys }: CaContext, certificate: X509Certificate | undefined): Promise<KeyObject | undefined> {
  for (const name of await requested(keys)) {
    const key = await keys.read(name);
    if (certificate !== undefined && spkiOf(createPublicKey(key)).equals(spkiOf(certificate.publicKey))) return key;
  }
  return undefined;
}

async function requested(keys: CaContext["keys"]): Promise<readonly string[]> {
  return (await keys.list()).filter((name) => name.startsWith(`${REQUESTED}-`));
}

function isSameKey(left: KeyObject, right: KeyObject): boolean {
  return spkiOf(createPublicKey(left)).equals(spkiOf(createPublicKey(right)));
}

function onlyOne(pem: string): X509Certificate {
  const [root, ...others] = readPem(pem);
  if (root === undefined || others.length > 0) throw refused("the root is one certificate, and not more");
  return root;
}

function readPem(pem: string): readonly X509Certificate[] {
  try {
    return certificatesFromPem(pem);
  } catch (cause) {
    throw new CaError("ERR_CA_IMPORT", "what was brought is refused: it holds no certificates in PEM", { cause });
  }
}

/** Reads a private key from PEM; `ERR_CA_KEY_FILE`. */
export function privateKeyFromPem(text: string, passphrase?: string): KeyObject {
  const key = tryReadKey(text, passphrase);
  if (key !== undefined) return key;
  throw new CaError("ERR_CA_KEY_FILE", "not a private key in PEM, or not with this passphrase");
}

function refused(message: string, hint?: string): CaError {
  return new CaError("ERR_CA_IMPORT", `what was brought is refused: ${message}`, { hint });
}
