import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { type HighWater, numbersOf } from "./high-water.ts";
import { appendToLedger, type LedgerHead, ledgerHead } from "./ledger.ts";
import { readSetting, writeSetting } from "./settings.ts";
import type { CaTransaction } from "./tables.ts";

/** What a recovery came to. */
export interface Recovery {
  readonly epoch: number;
  /** The ledger's last entry that is still there, and the last that was known. */
  readonly kept: LedgerHead;
  readonly known: number | undefined;
  /** Entries of revocations that were brought back. */
  readonly revocations: number | undefined;
}

/** More than an authority whose mark is lost as well can have come to meanwhile. */
const LEAP = 1_000_000;

/**
 * Goes on from a database that has lost entries: raises the epoch and every number that agents compare, so that what is
 * published from now on is newer than what they know, and takes over the revocations of the mark. The loss itself becomes an
 * entry of the ledger.
 */
export async function recover(context: CaContext, mark: HighWater | undefined): Promise<Recovery> {
  if ((await readSetting(context.db, "trust_domain")) !== context.trustDomain) {
    throw new CaError("ERR_CA_TRUST_DOMAIN", `the database is none of \`${context.trustDomain}\``);
  }
  const kept = await ledgerHead(context.db);
  return context.db.transaction().execute(async (trx) => {
    const numbers = await numbersOf(trx);
    const epoch = Math.max(numbers.epoch, mark?.epoch ?? 0) + 1;
    const bundleSequence =
      Math.max(numbers.bundleSequence, mark?.bundleSequence ?? 0) + (mark === undefined ? LEAP : 1);
    await writeSetting(trx, "epoch", String(epoch));
    await writeSetting(trx, "bundle_sequence", String(bundleSequence));
    await writeSetting(trx, "revocations_floor", String(await floorOf(trx, mark)));
    const revocations = mark === undefined ? undefined : await restoreRevocations(trx, mark);
    await appendToLedger(trx, context.clock(), [noteOf(context, kept, mark)]);
    return { epoch, kept, known: mark?.ledger.sequence, revocations };
  });
}

async function floorOf(trx: CaTransaction, mark: HighWater | undefined): Promise<number> {
  const newest = trx.selectFrom("ca_revocations").select("sequence").orderBy("sequence", "desc").limit(1);
  const own = (await newest.executeTakeFirst())?.sequence ?? 0;
  return mark === undefined ? own + LEAP : Math.max(own, mark.revocations?.sequence ?? 0);
}

async function restoreRevocations(trx: CaTransaction, { revocations }: HighWater): Promise<number> {
  const { identities = [], issuedAt = "", nodes = [], serials = [] } = revocations ?? {};
  const actor = "recovery";
  for (const { notAfter, serial } of serials) {
    const row = { serial, not_after: notAfter, revoked_at: issuedAt, reason: "revoked before the recovery", actor };
    await trx
      .insertInto("ca_revoked_serial")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  for (const { identity, reason, revokedAt } of identities) {
    const row = { identity, revoked_at: revokedAt, reason, actor };
    await trx
      .insertInto("ca_revoked_identity")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  for (const { node, reason, revokedAt } of nodes) {
    const row = { node, revoked_at: revokedAt, reason, actor };
    await trx
      .insertInto("ca_revoked_node")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  return serials.length + identities.length + nodes.length;
}

function noteOf(context: CaContext, kept: LedgerHead, mark: HighWater | undefined) {
  const known = mark === undefined ? "nobody knows how many followed" : `entry ${mark.ledger.sequence} was known`;
  return {
    kind: "authority",
    identity: `spiffe://${context.trustDomain}`,
    evidence: "recovery",
    reason: `the database ended at entry ${kept.sequence}; ${known}`,
  } as const;
}
