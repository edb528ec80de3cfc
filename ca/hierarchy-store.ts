import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder } from "./atomic-write.ts";
import { type Authorities, authoritiesOf } from "./authorities.ts";
import { brokenState, readAuthorities } from "./authority-rows.ts";
import { type Brought, forgetRequest, foundOn } from "./bring.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { keep, type MadeIssuer, makeIntermediate, makeRoot, makeSigner, makeTokenKey } from "./making.ts";
import { readSetting, writeSetting } from "./settings.ts";
import type { CaTransaction } from "./tables.ts";

/** Lies in the key folder while the first keys are made and not yet in the store. */
const CREATING = ".creating";

/** Makes root, intermediate, policy signer and token key; an attempt that was cut short before is cleared away first. */
export async function createHierarchy(context: CaContext, brought?: Brought): Promise<Authorities> {
  const unmark = await markCreation(context);
  const [root, intermediate] = brought === undefined ? await makeBoth(context) : await foundOn(context, brought);
  if (root === undefined || intermediate === undefined) throw brokenState("there is nothing to begin with");
  const signer = await makeSigner(context, intermediate.issuer);
  const token = await makeTokenKey(context);
  await context.db.transaction().execute(async (trx) => {
    await writeSetting(trx, "trust_domain", context.trustDomain);
    await writeSetting(trx, "epoch", "1");
    await writeSetting(trx, "bundle_sequence", "1");
    if (brought !== undefined) await writeSetting(trx, "brought_root", root.made.serial);
    await keep(context, trx, "active", [root.made, intermediate.made, signer, token]);
  });
  await unmark();
  await forgetRequest(context, intermediate.issuer.privateKey);
  return readHierarchy(context);
}

async function makeBoth(context: CaContext): Promise<readonly MadeIssuer[]> {
  const root = await makeRoot(context);
  return [root, await makeIntermediate(context, root.issuer)];
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
  const current = await readHierarchy(context);
  await removeStrayKeys(context, current);
  return current.token === undefined ? addTokenKey(context) : current;
}

/** Reads everything anew; throws `ERR_CA_STATE`, `ERR_CA_KEY_FILE`. */
export async function readHierarchy(context: CaContext): Promise<Authorities> {
  const sequence = await readSetting(context.db, "bundle_sequence");
  return authoritiesOf(context, await readAuthorities(context, context.db), BigInt(sequence ?? "1"));
}

/** Makes the trust bundle newer than every one before. INVARIANT: in the transaction that changes its content. */
export async function raiseBundleSequence(trx: CaTransaction): Promise<void> {
  const sequence = BigInt((await readSetting(trx, "bundle_sequence")) ?? "1") + 1n;
  await writeSetting(trx, "bundle_sequence", sequence.toString());
}

/** An authority of an earlier version has no key for tokens yet: nobody can hold another one, so it is used at once. */
async function addTokenKey(context: CaContext): Promise<Authorities> {
  const token = await makeTokenKey(context);
  await context.db.transaction().execute(async (trx) => {
    await keep(context, trx, "active", [token]);
    await raiseBundleSequence(trx);
  });
  return readHierarchy(context);
}

/**
 * Removes keys that no authority uses: of a change that was cut short before the store took it, or after.
 *
 * SECURITY: only with a store that knows its trust domain; otherwise a lost database would cost the keys as well.
 */
export async function removeStrayKeys(context: CaContext, current: Authorities): Promise<void> {
  const used = new Set(current.all.map(({ keyName }) => keyName));
  const stray = (await context.keys.list()).filter((name) => MADE_HERE.test(name) && !used.has(name));
  await context.keys.remove(stray);
}

const MADE_HERE = /^(?:root|intermediate|policy-signer|jwt)-[0-9a-f]{16}$/;

/**
 * Notes on disk that keys are about to be made; returns how to take the note away.
 *
 * SECURITY: keys without a store that knows them are never replaced, as that would quietly found another trust domain;
 * only this note proves that they come from a creation that was cut short.
 */
async function markCreation(context: CaContext): Promise<() => Promise<void>> {
  const { keys } = context;
  const mark = join(keys.path, CREATING);
  const leftovers = (await keys.list()).filter((name) => !name.startsWith("requested-"));
  const handle = await open(mark, leftovers.length === 0 ? "a" : "r+", 0o600).catch((cause: unknown) => {
    throw brokenState(`the folder \`${keys.path}\` holds keys of an authority that the store does not know`, cause);
  });
  await handle.close();
  await flushFolder(keys.path);
  // The key of a request outlives an attempt that was cut short: its certificate may be on its way.
  await keys.remove(leftovers.filter((name) => MADE_HERE.test(name)));
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
