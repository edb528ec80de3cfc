import { createHash } from "node:crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "../store/index.ts";
import { canonicalJson } from "./canonical-json.ts";
import { appendToLedger, checkLedger, followHead, type LedgerNote, ledgerHead, readLedger } from "./ledger.ts";
import { migrations } from "./migrations/index.ts";
import type { CaDatabase, CaTables } from "./tables.ts";

const at = new Date("2030-01-01T00:00:00Z");
const note = (index: number, fields: Partial<LedgerNote> = {}): LedgerNote => ({
  kind: "x509-svid",
  identity: `spiffe://shop.example/shop/w${index}`,
  serial: `a${index}`,
  notAfter: new Date("2030-01-01T01:00:00Z"),
  node: "host-1",
  evidence: "runsOn node host-1",
  ...fields,
});

describe("ledger", () => {
  let store: Store;
  let db: CaDatabase;
  beforeEach(async () => {
    store = await openStore({ file: ":memory:" });
    await store.migrate("ca", migrations);
    db = store.db.withTables<CaTables>();
  });
  afterEach(() => store.close());

  const append = (...notes: readonly LedgerNote[]) => db.transaction().execute((trx) => appendToLedger(trx, at, notes));
  const many = (count: number, from = 0) => Array.from({ length: count }, (_, index) => note(from + index));
  /** As somebody who has the database file may. */
  const forge = async (statement: string): Promise<void> => {
    for (const change of ["update", "delete"]) await sql.raw(`drop trigger ca_ledger_no_${change}`).execute(db);
    await sql.raw(statement).execute(db);
  };

  it("numbers entries from 1 without gaps, over transactions and large batches", async () => {
    await append(note(0), note(1));
    await append(...many(1100, 2));
    expect(await checkLedger(db)).toMatchObject({ ok: true, entries: 1102 });
  });

  it("reads newest first, at most as many as asked for, by identity and node", async () => {
    await append(...many(150), note(3, { serial: "ff", node: "host-2" }));
    expect((await readLedger(db)).entries).toHaveLength(100);
    expect((await readLedger(db, { limit: 2 })).entries.map((entry) => entry.sequence)).toEqual([151, 150]);
    const one = await readLedger(db, { identity: "spiffe://shop.example/shop/w3" });
    expect(one.entries.map((entry) => entry.serial)).toEqual(["ff", "a3"]);
    expect((await readLedger(db, { node: "host-2" })).entries).toHaveLength(1);
  });

  it("leaves out what an entry does not have", async () => {
    await append({ kind: "refusal", identity: "spiffe://shop.example/x", evidence: "e", reason: "r" });
    expect((await readLedger(db)).entries).toEqual([
      {
        sequence: 1,
        at: at.toISOString(),
        kind: "refusal",
        identity: "spiffe://shop.example/x",
        evidence: "e",
        reason: "r",
      },
    ]);
  });

  it("keeps no serial twice", async () => {
    await append(note(0));
    await expect(append(note(1), note(0))).rejects.toThrow(/unique/i);
    expect(await checkLedger(db)).toMatchObject({ ok: true, entries: 1 });
  });

  it("refuses to be changed or shortened by a statement", async () => {
    await append(...many(3));
    await expect(sql`update ca_ledger set reason = 'x' where sequence = 1`.execute(db)).rejects.toThrow(/append-only/);
    await expect(sql`delete from ca_ledger where sequence = 3`.execute(db)).rejects.toThrow(/append-only/);
  });

  it.each([
    [
      "an entry's content changed",
      "update ca_ledger set identity = 'spiffe://shop.example/other' where sequence = 2",
      2,
    ],
    ["an entry's reason changed from nothing", "update ca_ledger set reason = '' where sequence = 2", 2],
    ["an entry's time changed", "update ca_ledger set at = '2029-01-01T00:00:00.000Z' where sequence = 2", 2],
    ["an entry removed", "delete from ca_ledger where sequence = 2", 3],
    ["the first entry removed", "delete from ca_ledger where sequence = 1", 2],
    ["a hash changed", `update ca_ledger set hash = '${"0".repeat(63)}1' where sequence = 2`, 2],
  ])("finds %s", async (_, statement, sequence) => {
    await append(...many(4));
    expect(await checkLedger(db)).toMatchObject({ ok: true });
    await forge(statement);
    expect(await checkLedger(db)).toMatchObject({ ok: false, sequence });
  });

  /** An entry with a hash that fits, as somebody makes who knows how. */
  const forgeEntry = async (sequence: number, fields: Readonly<Record<string, unknown>>): Promise<string> => {
    const [row] = (await sql<Record<string, unknown>>`select * from ca_ledger where sequence = ${sequence}`.execute(db))
      .rows;
    const { hash: _, ...content } = { ...row, ...fields };
    const hash = createHash("sha256").update(canonicalJson(content)).digest("hex");
    const values = Object.entries({ ...content, hash }).map(
      ([name, value]) => `${name} = ${value === null ? "null" : `'${value}'`}`,
    );
    await forge(`update ca_ledger set ${values.join(", ")} where sequence = ${sequence}`);
    return hash;
  };

  it("finds an entry that was changed together with its hash, by the entry after it", async () => {
    await append(...many(4));
    await forgeEntry(2, { identity: "spiffe://shop.example/other" });
    expect(await checkLedger(db)).toEqual({
      ok: false,
      sequence: 3,
      problem: "it does not follow the entry before it",
    });
  });

  it("finds a gap in the numbers of a chain whose hashes fit", async () => {
    await append(...many(3));
    await forgeEntry(3, { sequence: 9 });
    expect(await checkLedger(db)).toEqual({ ok: false, sequence: 9, problem: "an entry before it is missing" });
  });

  it("finds its end cut off since it was last seen, and cut off and written anew", async () => {
    const seen = await append(...many(4));
    await forge("delete from ca_ledger where sequence > 2");
    expect(await checkLedger(db, seen)).toMatchObject({ ok: false, sequence: 3 });
    await append(...many(4, 10));
    expect(await checkLedger(db)).toMatchObject({ ok: true });
    const known = await followHead(db, seen);
    expect(known).toEqual(seen);
    expect(await checkLedger(db, known)).toMatchObject({ ok: false, sequence: 4 });
  });

  it("follows its own end while it is untouched", async () => {
    const seen = await append(note(0));
    await append(note(1));
    expect(await followHead(db, seen)).toEqual(await ledgerHead(db));
  });
});
