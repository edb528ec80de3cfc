import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder } from "./atomic-write.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { appendToLedger, type LedgerNote } from "./ledger.ts";
import { validityFrom } from "./lifetimes.ts";
import { type Issuer, issuerOf, serialNumberOf, signIntermediate, signLeaf, signRoot, spkiOf } from "./profile.ts";
import { readSetting, writeSetting } from "./settings.ts";
import type { AuthorityRole, AuthorityRow, CaTransaction } from "./tables.ts";

/** The certificates and keys in use: root, intermediate, and the policy signer's leaf. */
export interface Authorities {
  readonly root: Issuer;
  readonly intermediate: Issuer;
  readonly signer: { readonly certificate: X509Certificate; readonly privateKey: KeyObject };
}

/** Lies in the key folder while the first keys are made and not yet in the store. */
const CREATING = ".creating";

/** A new certificate with its key's name in the key folder. */
interface Made {
  readonly role: AuthorityRole;
  readonly keyName: string;
  readonly certificate: X509Certificate;
}

/** Makes root, intermediate and policy signer; an attempt that was cut short before is cleared away first. */
export async function createHierarchy(context: CaContext): Promise<Authorities> {
  const unmark = await markCreation(context);
  const root = await makeRoot(context);
  const below = await makeBelow(context, { root: root.issuer });
  await context.db.transaction().execute(async (trx) => {
    await writeSetting(trx, "trust_domain", context.trustDomain);
    await writeSetting(trx, "epoch", "1");
    await keep(context, trx, [root.made, ...below.made]);
  });
  await unmark();
  return { root: root.issuer, ...below.authorities };
}

/** A new intermediate and, below it, a new signer. */
export async function renewSigning(context: CaContext, current: Authorities): Promise<Authorities> {
  const below = await makeBelow(context, { root: current.root });
  await replace(context, below.made);
  return { root: current.root, ...below.authorities };
}

/** A new signer below the intermediate in use. */
export async function renewSigner(context: CaContext, current: Authorities): Promise<Authorities> {
  const signer = await makeSigner(context, current.intermediate);
  await replace(context, [signer.made]);
  return { ...current, signer: signer.authority };
}

/** What the store holds; nothing if this authority has never been created. */
export async function loadHierarchy(context: CaContext): Promise<Authorities | undefined> {
  const stored = await readSetting(context.db, "trust_domain");
  if (stored === undefined) return undefined;
  if (stored !== context.trustDomain) {
    throw new CaError("ERR_CA_TRUST_DOMAIN", `this authority is of \`${stored}\`, not of \`${context.trustDomain}\``, {
      hint: `set the mesh's trust domain to \`${stored}\`, or give the new trust domain a state folder of its own`,
    });
  }
  await unlinkIfThere(join(context.keys.path, CREATING));
  const rows = await context.db.selectFrom("ca_authority").selectAll().orderBy("generation", "desc").execute();
  return assemble(
    await loadRole(context, rows, "root"),
    await loadRole(context, rows, "intermediate"),
    await loadRole(context, rows, "policy-signer"),
  );
}

interface Loaded {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

async function loadRole(context: CaContext, rows: readonly AuthorityRow[], role: AuthorityRole): Promise<Loaded> {
  const row = rows.find((candidate) => candidate.role === role);
  if (row === undefined) throw broken(`the store holds no ${role} certificate`);
  const certificate = new X509Certificate(row.certificate);
  const privateKey = await context.keys.read(row.key_name);
  if (!spkiOf(createPublicKey(privateKey)).equals(spkiOf(certificate.publicKey))) {
    throw broken(`the ${role} certificate and the key \`${row.key_name}\` do not belong together`);
  }
  return { certificate, privateKey };
}

function assemble(root: Loaded, intermediate: Loaded, signer: Loaded): Authorities {
  const signs = (above: Loaded, below: Loaded) => below.certificate.verify(above.certificate.publicKey);
  if (!signs(root, root) || !signs(root, intermediate) || !signs(intermediate, signer)) {
    throw broken("the stored certificates do not form a chain");
  }
  return {
    root: issuerOf(root.certificate, root.privateKey),
    intermediate: issuerOf(intermediate.certificate, intermediate.privateKey),
    signer,
  };
}

async function makeRoot(context: CaContext) {
  const { keyName, key } = await makeKey(context, "root");
  const validity = validityFrom(context.clock(), context.lifetimes.rootSeconds, context.lifetimes);
  const issuer = signRoot({ trustDomain: context.trustDomain, key, validity, random: context.random });
  return { issuer, made: { role: "root", keyName, certificate: issuer.certificate } satisfies Made };
}

async function makeBelow(context: CaContext, above: Pick<Authorities, "root">) {
  const { keyName, key } = await makeKey(context, "intermediate");
  const validity = validityFrom(context.clock(), context.lifetimes.intermediateSeconds, context.lifetimes);
  const { trustDomain, random } = context;
  const intermediate = signIntermediate({ trustDomain, key, issuer: above.root, validity, random });
  const signer = await makeSigner(context, intermediate);
  const made: Made[] = [{ role: "intermediate", keyName, certificate: intermediate.certificate }, signer.made];
  return { authorities: { intermediate, signer: signer.authority }, made };
}

async function makeSigner(context: CaContext, issuer: Issuer) {
  const { keyName, key } = await makeKey(context, "policy-signer");
  const validity = validityFrom(context.clock(), context.lifetimes.signerSeconds, context.lifetimes);
  const publicKey = createPublicKey(key);
  const leaf = signLeaf({ id: context.signerId, publicKey, issuer, validity, random: context.random });
  const certificate = new X509Certificate(leaf.der);
  return {
    authority: { certificate, privateKey: key },
    made: { role: "policy-signer", keyName, certificate } satisfies Made,
  };
}

async function makeKey(context: CaContext, role: AuthorityRole): Promise<{ keyName: string; key: KeyObject }> {
  const keyName = `${role}-${context.random(8).toString("hex")}`;
  return { keyName, key: await context.keys.create(keyName) };
}

/** Writes down what has been made, then removes the keys that it replaces. */
async function replace(context: CaContext, made: readonly Made[]): Promise<void> {
  const roles = made.map(({ role }) => role);
  const old = await context.db.transaction().execute(async (trx) => {
    const replaced = await trx.selectFrom("ca_authority").select("key_name").where("role", "in", roles).execute();
    await keep(context, trx, made);
    await trx
      .deleteFrom("ca_authority")
      .where(
        "key_name",
        "in",
        replaced.map((row) => row.key_name),
      )
      .execute();
    return replaced;
  });
  await context.keys.remove(old.map((row) => row.key_name));
}

async function keep(context: CaContext, trx: CaTransaction, made: readonly Made[]): Promise<void> {
  for (const { role, keyName, certificate } of made) {
    const newest = trx
      .selectFrom("ca_authority")
      .select("generation")
      .where("role", "=", role)
      .orderBy("generation", "desc");
    const generation = ((await newest.executeTakeFirst())?.generation ?? 0) + 1;
    const serial = serialNumberOf(certificate);
    const row = { serial, role, key_name: keyName, certificate: certificate.raw, generation };
    await trx.insertInto("ca_authority").values(row).execute();
  }
  await appendToLedger(
    trx,
    context.clock(),
    made.map((one) => noteOf(context, one)),
  );
}

function noteOf(context: CaContext, { role, certificate }: Made): LedgerNote {
  const isSigner = role === "policy-signer";
  return {
    kind: isSigner ? "policy-signer" : "authority",
    identity: isSigner ? context.signerId.toString() : `spiffe://${context.trustDomain}`,
    serial: serialNumberOf(certificate),
    notAfter: new Date(certificate.validTo),
    evidence: `own ${role}`,
    fingerprint: createHash("sha256").update(certificate.raw).digest("hex"),
  };
}

/**
 * Notes on disk that keys are about to be made; returns how to take the note away.
 *
 * SECURITY: keys without a store that knows them are never replaced, as that would quietly found another trust domain;
 * only this note proves that they come from a creation that was cut short.
 */
async function markCreation(context: CaContext): Promise<() => Promise<void>> {
  const { keys } = context;
  const mark = join(keys.path, CREATING);
  const leftovers = await keys.list();
  const handle = await open(mark, leftovers.length === 0 ? "a" : "r+", 0o600).catch((cause: unknown) => {
    throw broken(`the folder \`${keys.path}\` holds keys of an authority that the store does not know`, cause);
  });
  await handle.close();
  await flushFolder(keys.path);
  await keys.remove(leftovers);
  return async () => {
    await unlink(mark);
    await flushFolder(keys.path);
  };
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}

function broken(message: string, cause?: unknown): CaError {
  return new CaError("ERR_CA_STATE", message, {
    hint: "restore the key folder and the database from one backup; only a wholly new trust domain starts with both empty",
    cause,
  });
}
