import { type Authorities, active, issuerIn, prepared } from "./authorities.ts";
import type { SigningAuthority } from "./authority-rows.ts";
import { type Brought, forgetRequest, makeBrought } from "./bring.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { raiseBundleSequence, readHierarchy, removeStrayKeys } from "./hierarchy-store.ts";
import { ledgerHead } from "./ledger.ts";
import { outlastSeconds } from "./lifetimes.ts";
import { keep, type Made, makeIntermediate, makeRoot, makeSigner, makeTokenKey } from "./making.ts";
import type { Rotatable } from "./rotatable.ts";
import type { AuthorityRole, CaTransaction } from "./tables.ts";

/** Everything that changes when one of a kind comes into use. */
const ROLES: Readonly<Record<Rotatable, readonly AuthorityRole[]>> = {
  root: ["root", "intermediate"],
  intermediate: ["intermediate"],
  jwt: ["jwt"],
};

/** When something prepared may be used: not before, and not after whoever waits. */
export interface UseTimes {
  readonly from?: Date | undefined;
  readonly by?: Date | undefined;
}

/** Makes the next of a kind, in the place of one that lies prepared; nothing is signed with it yet. */
export async function prepare(
  context: CaContext,
  current: Authorities,
  what: Rotatable,
  times: UseTimes,
): Promise<Authorities> {
  const made = await makeNext(context, current, what);
  await context.db.transaction().execute(async (trx) => {
    // A new root brings an intermediate: one that was prepared below the old root is not needed any more.
    for (const role of ROLES[what]) await discard(trx, role);
    await keep(context, trx, "prepared", made);
    await setTimes(trx, what, times);
    if (what !== "intermediate") await raiseBundleSequence(trx);
  });
  return withoutStrays(context);
}

/** Lays a root and an intermediate that were brought, or an intermediate alone, beside those in use. */
export async function bring(
  context: CaContext,
  current: Authorities,
  brought: Brought,
): Promise<{ readonly what: Rotatable; readonly next: Authorities }> {
  const { made, what } = await makeBrought(context, current, brought);
  await context.db.transaction().execute(async (trx) => {
    for (const role of ROLES[what]) await discard(trx, role);
    await keep(context, trx, "prepared", made);
    if (what === "root") await raiseBundleSequence(trx);
  });
  const next = await withoutStrays(context);
  const key = prepared(next.all, "intermediate")?.privateKey;
  if (key !== undefined) await forgetRequest(context, key);
  return { what, next };
}

/** Gives what lies prepared other times. */
export async function reschedule(context: CaContext, what: Rotatable, times: UseTimes): Promise<Authorities> {
  await context.db.transaction().execute((trx) => setTimes(trx, what, times));
  return readHierarchy(context);
}

async function setTimes(trx: CaTransaction, what: Rotatable, { from, by }: UseTimes): Promise<void> {
  const times = { activate_from: from?.toISOString() ?? null, activate_by: by?.toISOString() ?? null };
  const prepared = trx.updateTable("ca_authority").set(times).where("state", "=", "prepared");
  await prepared.where("role", "in", ROLES[what]).execute();
}

/** Brings what is prepared into use, with a new signer below a new intermediate; what it replaces signs nothing more. */
export async function activate(context: CaContext, current: Authorities, what: Rotatable): Promise<Authorities> {
  const next = prepared(current.all, what === "root" ? "intermediate" : what);
  if (next === undefined) return current;
  const signer = what === "jwt" ? [] : [await makeSigner(context, issuerIn(next))];
  await context.db.transaction().execute(async (trx) => {
    for (const role of ROLES[what]) await exchange(trx, context, current, role);
    if (signer.length > 0) await trx.deleteFrom("ca_authority").where("role", "=", "policy-signer").execute();
    await keep(context, trx, "active", signer);
    context.reached("exchanged");
  });
  context.reached("replaced");
  return withoutStrays(context);
}

/** A new signer below the intermediate in use. */
export async function renewSigner(context: CaContext, current: Authorities): Promise<Authorities> {
  const signer = await makeSigner(context, current.intermediate);
  await context.db.transaction().execute(async (trx) => {
    await trx.deleteFrom("ca_authority").where("role", "=", "policy-signer").execute();
    await keep(context, trx, "active", [signer]);
  });
  return withoutStrays(context);
}

/** Removes retired authorities and their keys; the trust bundle is newer then. */
export async function remove(context: CaContext, gone: readonly SigningAuthority[]): Promise<Authorities> {
  const serials = gone.map(({ serial }) => serial);
  await context.db.transaction().execute(async (trx) => {
    await trx.deleteFrom("ca_authority").where("state", "=", "retired").where("serial", "in", serials).execute();
    if (gone.some(({ role }) => role === "root" || role === "jwt")) await raiseBundleSequence(trx);
  });
  return withoutStrays(context);
}

/** Notes that the key in use may be in other hands, with every intermediate that it has signed: nothing of it is to last. */
export async function markCompromised(
  context: CaContext,
  current: Authorities,
  what: "root" | "jwt",
): Promise<Authorities> {
  const inUse = active(current.all, what);
  const signed = current.all.filter(({ certificate, role }) => {
    return what === "root" && role === "intermediate" && certificate?.verify(current.root.publicKey) === true;
  });
  const serials = [inUse, ...signed].flatMap((one) => one?.serial ?? []);
  await context.db.updateTable("ca_authority").set({ compromised: 1 }).where("serial", "in", serials).execute();
  return readHierarchy(context);
}

async function makeNext(context: CaContext, current: Authorities, what: Rotatable): Promise<readonly Made[]> {
  switch (what) {
    case "jwt":
      return [await makeTokenKey(context)];
    case "intermediate":
      return [(await makeIntermediate(context, rootIssuer(current))).made];
    case "root": {
      // SECURITY: a root that may be in other hands vouches for nothing new.
      const { compromised, notAfter, privateKey } = current.root;
      const vouches = privateKey !== undefined && !compromised && notAfter > context.clock();
      const root = await makeRoot(context, vouches ? rootIssuer(current) : undefined);
      return [root.made, (await makeIntermediate(context, root.issuer)).made];
    }
    default:
      return what satisfies never;
  }
}

function rootIssuer({ root }: Authorities) {
  if (root.privateKey !== undefined) return issuerIn(root);
  throw new CaError("ERR_CA_OFFLINE", "the root's key is not kept here, so it cannot sign a new intermediate", {
    hint: "make a request with `cellwall ca request`, have it signed where the root is, and bring it in with `cellwall ca import`",
  });
}

/** The prepared one of a role comes into use, the one before it retires. */
async function exchange(trx: CaTransaction, context: CaContext, current: Authorities, role: AuthorityRole) {
  const now = context.clock();
  const until = new Date(now.getTime() + believedMs(context, current, role));
  const { sequence } = await ledgerHead(trx);
  const times = { retired_at: now.toISOString(), retired_sequence: sequence, remove_at: until.toISOString() };
  const old = { state: "retired" as const, ...times };
  await trx.updateTable("ca_authority").set(old).where("role", "=", role).where("state", "=", "active").execute();
  const next = { state: "active" as const, activated_at: now.toISOString() };
  await trx.updateTable("ca_authority").set(next).where("role", "=", role).where("state", "=", "prepared").execute();
}

/** How long the one in use is believed once it signs nothing more. */
function believedMs({ lifetimes }: CaContext, { all }: Authorities, role: AuthorityRole): number {
  const next = prepared(all, role);
  if (active(all, role)?.compromised === true) {
    const waitsMs = next?.activateBy === undefined ? 0 : next.activateBy.getTime() - next.preparedAt.getTime();
    return role === "jwt" ? 0 : waitsMs;
  }
  return 1000 * (role === "jwt" ? lifetimes.jwtSvidSeconds + lifetimes.backdateSeconds : outlastSeconds(lifetimes));
}

async function discard(trx: CaTransaction, role: AuthorityRole): Promise<void> {
  await trx.deleteFrom("ca_authority").where("role", "=", role).where("state", "=", "prepared").execute();
}

/** Reads the new state and destroys the keys that nothing uses any more. */
async function withoutStrays(context: CaContext): Promise<Authorities> {
  const next = await readHierarchy(context);
  await removeStrayKeys(context, next);
  return next;
}
