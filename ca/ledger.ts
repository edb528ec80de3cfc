import { createHash } from "node:crypto";
import { CompiledQuery } from "kysely";
import type { LedgerEntries } from "../protocol/index.ts";
import type { CaDatabase, CaTransaction, LedgerKind, LedgerRow } from "./tables.ts";

/** One certificate or one refusal, before it has its place in the chain. */
export interface LedgerNote {
  readonly kind: LedgerKind;
  readonly identity: string;
  readonly evidence: string;
  readonly serial?: string;
  readonly notAfter?: Date;
  readonly node?: string;
  readonly reason?: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint?: string;
}

/** What to read of the ledger; `limit` is 100 where it is absent and 1000 at most. */
export interface LedgerQuery {
  readonly limit?: number;
  readonly identity?: string;
  readonly node?: string;
  readonly kind?: LedgerKind;
  /** Only entries before this one, to read on from page to page. */
  readonly before?: number;
  /** With each entry's fingerprint and place in the chain. */
  readonly proof?: boolean;
}

/** Whether the chain holds, and if not, the first entry where it breaks. */
export type LedgerCheck =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly sequence: number; readonly problem: string };

/** The end of a chain. */
export interface LedgerHead {
  readonly sequence: number;
  readonly hash: string;
}

/** What the first entry follows. */
const START: LedgerHead = { sequence: 0, hash: "0".repeat(64) };
const PAGE_ROWS = 1000;
/** SQLite takes at most 32766 parameters a statement; a row has 12. */
const INSERT_ROWS = 500;

/**
 * Appends notes in their order and returns the new head. INVARIANT: runs inside the transaction that decided on them, and `last` is the head
 * that this transaction sees.
 */
export async function appendToLedger(
  trx: CaTransaction,
  at: Date,
  notes: readonly LedgerNote[],
  last?: LedgerHead,
): Promise<LedgerHead> {
  let head = last ?? (await ledgerHead(trx));
  const rows = notes.map((note) => {
    const row = chain(note, at, head);
    head = row;
    return row;
  });
  for (let start = 0; start < rows.length; start += INSERT_ROWS) {
    await trx.executeQuery(insertOf(rows.slice(start, start + INSERT_ROWS)));
  }
  return { sequence: head.sequence, hash: head.hash };
}

/** Written out: building these two anew costs more than running them, and each certificate needs both. */
const NEWEST: CompiledQuery<LedgerHead> = CompiledQuery.raw(
  "select sequence, hash from ca_ledger order by sequence desc limit 1",
);
const COLUMNS = [
  "sequence",
  "at",
  "kind",
  "identity",
  "serial",
  "not_after",
  "node",
  "evidence",
  "reason",
  "fingerprint",
  "previous",
  "hash",
] as const satisfies readonly (keyof LedgerRow)[];
const INSERT_TEXT = `insert into ca_ledger (${COLUMNS.join(", ")}) values `;
const INSERT = CompiledQuery.raw(INSERT_TEXT);
const PLACES = `(${COLUMNS.map(() => "?").join(", ")})`;

function insertOf(rows: readonly LedgerRow[]): CompiledQuery {
  const sql = INSERT_TEXT + rows.map(() => PLACES).join(", ");
  return { ...INSERT, sql, parameters: rows.flatMap((row) => COLUMNS.map((column) => row[column])) };
}

/** The newest entry's place and hash. */
export async function ledgerHead(db: CaDatabase): Promise<LedgerHead> {
  const { rows } = await db.executeQuery(NEWEST);
  return rows[0] ?? START;
}

/**
 * The head to hold a later chain against: the newest one, as long as the entry known so far is still in its place.
 * Otherwise the known one stays, so that `checkLedger` finds what has happened to it.
 */
export async function followHead(db: CaDatabase, known: LedgerHead): Promise<LedgerHead> {
  if (known.sequence === 0) return ledgerHead(db);
  const row = db.selectFrom("ca_ledger").select("hash").where("sequence", "=", known.sequence);
  return (await row.executeTakeFirst())?.hash === known.hash ? ledgerHead(db) : known;
}

/** Entries, newest first. */
export async function readLedger(db: CaDatabase, query: LedgerQuery = {}): Promise<LedgerEntries> {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? 100), 1), PAGE_ROWS);
  let select = db.selectFrom("ca_ledger").selectAll().orderBy("sequence", "desc").limit(limit);
  if (query.identity !== undefined) select = select.where("identity", "=", query.identity);
  if (query.node !== undefined) select = select.where("node", "=", query.node);
  if (query.kind !== undefined) select = select.where("kind", "=", query.kind);
  if (query.before !== undefined) select = select.where("sequence", "<", query.before);
  const rows = await select.execute();
  return { entries: rows.map((row) => (query.proof === true ? { ...entryOf(row), ...proofOf(row) } : entryOf(row))) };
}

/**
 * Walks the whole chain. `known` is a head seen before: a chain that no longer reaches it has been cut off at its end,
 * which its own hashes cannot show.
 */
export async function checkLedger(db: CaDatabase, known: LedgerHead = START): Promise<LedgerCheck> {
  let head = START;
  for await (const row of pages(db)) {
    const problem = problemOf(row, head);
    if (problem !== undefined) return { ok: false, sequence: row.sequence, problem };
    if (row.sequence === known.sequence && row.hash !== known.hash) {
      return { ok: false, sequence: row.sequence, problem: "it is not the entry that was written here" };
    }
    head = row;
  }
  if (head.sequence < known.sequence) {
    return { ok: false, sequence: head.sequence + 1, problem: "entries are missing at the end" };
  }
  return { ok: true, entries: head.sequence, head: head.hash };
}

/**
 * Walks entries that were read with their proofs, oldest first, as `checkLedger` walks the store: for whoever holds an
 * export and trusts nobody. `known` is the last entry that was seen before.
 */
export function checkEntries(entries: readonly LedgerEntry[], known: LedgerHead = START): LedgerCheck {
  let head = known;
  for (const entry of entries) {
    const problem = problemOf(rowOf(entry), head);
    if (problem !== undefined) return { ok: false, sequence: entry.sequence, problem };
    head = { sequence: entry.sequence, hash: entry.hash ?? "" };
  }
  return { ok: true, entries: head.sequence, head: head.hash };
}

/** One entry as it is told. */
export type LedgerEntry = LedgerEntries["entries"][number];

function rowOf(entry: LedgerEntry): LedgerRow {
  return {
    sequence: entry.sequence,
    at: entry.at,
    kind: entry.kind,
    identity: entry.identity,
    serial: entry.serial ?? null,
    not_after: entry.notAfter ?? null,
    node: entry.node ?? null,
    evidence: entry.evidence,
    reason: entry.reason ?? null,
    fingerprint: entry.fingerprint ?? null,
    previous: entry.previous ?? "",
    hash: entry.hash ?? "",
  };
}

function proofOf({ fingerprint, hash, previous }: LedgerRow): Pick<LedgerEntry, "fingerprint" | "hash" | "previous"> {
  return { ...(fingerprint === null ? {} : { fingerprint }), previous, hash };
}

async function* pages(db: CaDatabase): AsyncGenerator<LedgerRow> {
  let after = 0;
  for (;;) {
    const page = db.selectFrom("ca_ledger").selectAll().where("sequence", ">", after).orderBy("sequence");
    const rows = await page.limit(PAGE_ROWS).execute();
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.sequence;
  }
}

function problemOf(row: LedgerRow, head: LedgerHead): string | undefined {
  if (row.sequence !== head.sequence + 1) return "an entry before it is missing";
  if (row.previous !== head.hash) return "it does not follow the entry before it";
  if (row.hash !== hashOf(row)) return "its content has been changed";
  return undefined;
}

function chain(note: LedgerNote, at: Date, head: LedgerHead): LedgerRow {
  const row = {
    sequence: head.sequence + 1,
    at: at.toISOString(),
    kind: note.kind,
    identity: note.identity,
    serial: note.serial ?? null,
    not_after: note.notAfter?.toISOString() ?? null,
    node: note.node ?? null,
    evidence: note.evidence,
    reason: note.reason ?? null,
    fingerprint: note.fingerprint ?? null,
    previous: head.hash,
  };
  return { ...row, hash: hashOf(row) };
}

/** SHA-256 over the canonical JSON of everything in a row but the hash itself: texts, numbers and nulls, by their names' order. */
function hashOf(row: Omit<LedgerRow, "hash">): string {
  const { at, evidence, fingerprint, identity, kind, node, not_after, previous, reason, sequence, serial } = row;
  const hashed = { at, evidence, fingerprint, identity, kind, node, not_after, previous, reason, sequence, serial };
  return createHash("sha256").update(JSON.stringify(hashed)).digest("hex");
}

function entryOf(row: LedgerRow): LedgerEntries["entries"][number] {
  return {
    sequence: row.sequence,
    at: row.at,
    kind: row.kind,
    identity: row.identity,
    ...(row.serial === null ? {} : { serial: row.serial }),
    ...(row.not_after === null ? {} : { notAfter: row.not_after }),
    ...(row.node === null ? {} : { node: row.node }),
    evidence: row.evidence,
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}
