import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { certificatesToPem, normalizeSerial } from "../spiffe/index.ts";
import { nextGeneration } from "./authority-rows.ts";
import type { CaContext } from "./context.ts";
import { appendToLedger, type LedgerNote } from "./ledger.ts";
import { validityFrom } from "./lifetimes.ts";
import { crossSign, type Issuer, serialNumberOf, signIntermediate, signLeaf, signRoot } from "./profile.ts";
import { spkiOf } from "./public-key.ts";
import type { AuthorityRole, AuthorityState, CaTransaction } from "./tables.ts";

/** A new authority whose key is on disk, before the store knows of it. */
export interface Made {
  readonly role: AuthorityRole;
  readonly keyName: string | undefined;
  readonly serial: string;
  /** DER of the certificate, or of a token key's SubjectPublicKeyInfo. */
  readonly der: Buffer;
  readonly links: readonly X509Certificate[];
  readonly notAfter: Date;
}

/** What is made of it can sign at once. */
export interface MadeIssuer {
  readonly made: Made;
  readonly issuer: Issuer;
}

/** As long as a certificate's serial, so that the ledger and its readers treat both alike. */
const KEY_ID_CHARS = 32;

/** A new root; with `previous`, also signed by that one. */
export async function makeRoot(context: CaContext, previous?: Issuer): Promise<MadeIssuer> {
  const { keyName, key } = await makeKey(context, "root");
  const { lifetimes, random, trustDomain } = context;
  const validity = validityFrom(context.clock(), lifetimes.rootSeconds, lifetimes);
  const issuer = signRoot({ trustDomain, key, validity, random });
  const links =
    previous === undefined ? [] : [crossSign({ trustDomain, root: issuer, issuer: previous, validity, random })];
  return { issuer, made: madeOf("root", keyName, issuer.certificate, links) };
}

/** A new intermediate below a root. */
export async function makeIntermediate(context: CaContext, root: Issuer): Promise<MadeIssuer> {
  const { keyName, key } = await makeKey(context, "intermediate");
  const { lifetimes, random, trustDomain } = context;
  const validity = validityFrom(context.clock(), lifetimes.intermediateSeconds, lifetimes);
  const issuer = signIntermediate({ trustDomain, key, issuer: root, validity, random });
  return { issuer, made: madeOf("intermediate", keyName, issuer.certificate, []) };
}

/** A new signer of documents. */
export async function makeSigner(context: CaContext, issuer: Issuer): Promise<Made> {
  const { keyName, key } = await makeKey(context, "policy-signer");
  const validity = validityFrom(context.clock(), context.lifetimes.signerSeconds, context.lifetimes);
  const publicKey = createPublicKey(key);
  const leaf = signLeaf({ id: context.signerId, publicKey, issuer, validity, random: context.random });
  return madeOf("policy-signer", keyName, new X509Certificate(leaf.der), []);
}

/** A new key for tokens; its id is the beginning of its RFC 7638 thumbprint. */
export async function makeTokenKey(context: CaContext): Promise<Made> {
  const { keyName, key } = await makeKey(context, "jwt");
  const publicKey = createPublicKey(key);
  const { crv, kty, x, y } = publicKey.export({ format: "jwk" });
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("hex");
  const serial = normalizeSerial(thumbprint.slice(0, KEY_ID_CHARS));
  const notAfter = new Date(context.clock().getTime() + context.lifetimes.jwtKeySeconds * 1000);
  return { role: "jwt", keyName, serial, der: spkiOf(publicKey), links: [], notAfter };
}

/** Writes new authorities down, with their entries in the ledger. */
export async function keep(
  context: CaContext,
  trx: CaTransaction,
  state: Exclude<AuthorityState, "retired">,
  all: readonly Made[],
): Promise<void> {
  const now = context.clock();
  for (const made of all) {
    const row = {
      serial: made.serial,
      role: made.role,
      state,
      key_name: made.keyName ?? null,
      certificate: made.der,
      links: made.links.length === 0 ? null : certificatesToPem(made.links),
      generation: await nextGeneration(trx, made.role),
      prepared_at: now.toISOString(),
      activate_from: null,
      activate_by: null,
      activated_at: state === "active" ? now.toISOString() : null,
      retired_at: null,
      retired_sequence: null,
      remove_at: null,
      not_after: made.role === "jwt" ? made.notAfter.toISOString() : null,
      compromised: 0,
    };
    await trx.insertInto("ca_authority").values(row).execute();
  }
  const notes = all.flatMap((made) => notesOf(context, made));
  await appendToLedger(trx, now, notes);
}

/** Made for a certificate whose key is here under `keyName`, or elsewhere. */
export function madeOf(
  role: Exclude<AuthorityRole, "jwt">,
  keyName: string | undefined,
  certificate: X509Certificate,
  links: readonly X509Certificate[],
): Made {
  const notAfter = new Date(certificate.validTo);
  return { role, keyName, serial: serialNumberOf(certificate), der: certificate.raw, links, notAfter };
}

async function makeKey(context: CaContext, role: AuthorityRole) {
  const keyName = `${role}-${context.random(8).toString("hex")}`;
  const key = await context.keys.create(keyName);
  context.reached("key");
  return { keyName, key };
}

function notesOf(context: CaContext, made: Made): LedgerNote[] {
  const identity = `spiffe://${context.trustDomain}`;
  const isSigner = made.role === "policy-signer";
  const own: LedgerNote = {
    kind: isSigner ? "policy-signer" : "authority",
    identity: isSigner ? context.signerId.toString() : identity,
    serial: made.serial,
    notAfter: made.notAfter,
    evidence: made.role === "jwt" ? "own jwt key" : `own ${made.role}`,
    fingerprint: fingerprintOf(made.der),
  };
  if (made.role !== "root") return [own];
  return [own, ...made.links.map((link) => crossNote(identity, link))];
}

function crossNote(identity: string, link: X509Certificate): LedgerNote {
  const evidence = "own root, signed by the root before it";
  const serial = serialNumberOf(link);
  return {
    kind: "authority",
    identity,
    serial,
    notAfter: new Date(link.validTo),
    evidence,
    fingerprint: fingerprintOf(link.raw),
  };
}

function fingerprintOf(der: Buffer): string {
  return createHash("sha256").update(der).digest("hex");
}
