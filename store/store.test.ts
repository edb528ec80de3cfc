import { copyFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Generated, type Migration, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DriverName } from "./driver.ts";
import { openStore, type Store } from "./store.ts";

type Tables = {
  readonly item: { readonly id: Generated<number>; readonly name: string; readonly bytes: Buffer | null };
};

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001": {
    async up(db) {
      await sql`create table item (id integer primary key, name text not null unique, bytes blob)`.execute(db);
    },
  },
};

const drivers: readonly DriverName[] =
  Number(process.versions.node.split(".")[0]) >= 24 ? ["node:sqlite", "libsql"] : ["libsql"];

describe.each(drivers)("store on %s", (driver) => {
  let folder: string;
  const open: Store[] = [];
  const openHere = async (file = join(folder, "state.db")): Promise<Store> => {
    const store = await openStore({ file, driver });
    open.push(store);
    return store;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cellwall-store-"));
  });
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
    await rm(folder, { recursive: true });
  });

  it("writes ahead, puts every commit on the disk and holds foreign keys", async () => {
    const { db } = await openHere();
    const settings = await sql<Record<string, unknown>>`
      select (select journal_mode from pragma_journal_mode) as journal,
             (select synchronous from pragma_synchronous) as synchronous,
             (select foreign_keys from pragma_foreign_keys) as keys,
             (select timeout from pragma_busy_timeout) as busy`.execute(db);
    expect(settings.rows).toEqual([{ journal: "wal", synchronous: 2, keys: 1, busy: 5000 }]);
  });

  it("keeps the database, its log and its index to their owner", async () => {
    const store = await openHere();
    await store.migrate("test", MIGRATIONS);
    for (const suffix of ["", "-wal", "-shm"]) {
      const { mode } = await stat(join(folder, `state.db${suffix}`));
      expect([suffix, (mode & 0o777).toString(8)]).toEqual([suffix, "600"]);
    }
  });

  it("tightens the mode of a database that others may read", async () => {
    const file = join(folder, "state.db");
    await writeFile(file, "", { mode: 0o644 });
    await openHere(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("runs a statement that it has prepared before with other values, after a failure, and while its rows are streamed", async () => {
    const store = await openHere(":memory:");
    await store.migrate("test", MIGRATIONS);
    const db = store.db.withTables<Tables>();
    const add = (name: string) => db.insertInto("item").values({ name, bytes: null }).execute();
    for (const name of ["a", "b"]) await add(name);
    await expect(add("a")).rejects.toThrow(/unique/i);
    await add("c");
    const named = db.selectFrom("item").select("name").orderBy("id");
    for await (const first of named.stream()) {
      expect(first.name).toBe("a");
      break;
    }
    expect((await named.execute()).map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("reads a table as it is after a change of its form, though it was read before", async () => {
    const store = await openHere(":memory:");
    await store.migrate("test", MIGRATIONS);
    const read = sql<Record<string, unknown>>`select * from item`;
    await sql`insert into item (name) values ('a')`.execute(store.db);
    expect((await read.execute(store.db)).rows).toEqual([{ id: 1, name: "a", bytes: null }]);
    await sql`alter table item add column note text default 'n'`.execute(store.db);
    expect((await read.execute(store.db)).rows).toEqual([{ id: 1, name: "a", bytes: null, note: "n" }]);
  });

  it("gives blobs back as Buffers, whether selected, returned or streamed", async () => {
    const store = await openHere(":memory:");
    await store.migrate("test", MIGRATIONS);
    const db = store.db.withTables<Tables>();
    const bytes = Buffer.from([0, 255, 1]);
    const returned = await db.insertInto("item").values({ name: "a", bytes }).returning("bytes").executeTakeFirst();
    const selected = await db.selectFrom("item").select("bytes").executeTakeFirst();
    const streamed = [];
    for await (const row of db.selectFrom("item").select("bytes").stream()) streamed.push(row.bytes);
    for (const value of [returned?.bytes, selected?.bytes, ...streamed]) {
      expect(Buffer.isBuffer(value)).toBe(true);
      expect(value).toEqual(bytes);
    }
  });

  it("accepts a plain Uint8Array that is a view into a larger buffer", async () => {
    const store = await openHere(":memory:");
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    const { rows } = await sql<{ hex: string }>`select hex(${view}) as hex`.execute(store.db);
    expect(rows).toEqual([{ hex: "0102" }]);
  });

  it.each([[true], [new Date(0)], [undefined], [{}], [[1]]])(
    "refuses %s as a parameter instead of ending the process",
    async (value) => {
      const { db } = await openHere(":memory:");
      await expect(sql`select ${value}`.execute(db)).rejects.toMatchObject({ code: "ERR_STORE_PARAMETER" });
    },
  );

  it("takes back a transaction that throws", async () => {
    const store = await openHere();
    await store.migrate("test", MIGRATIONS);
    const db = store.db.withTables<Tables>();
    const broken = db.transaction().execute(async (trx) => {
      await trx.insertInto("item").values({ name: "a", bytes: null }).execute();
      throw new Error("no");
    });
    await expect(broken).rejects.toThrow("no");
    expect(await db.selectFrom("item").selectAll().execute()).toEqual([]);
  });

  it("holds the write lock from a transaction's start, so that what it read stays true", async () => {
    const [first, second] = [await openHere(), await openHere()];
    await first.migrate("test", MIGRATIONS);
    await sql`pragma busy_timeout = 0`.execute(second.db);
    await first.db.transaction().execute(async (trx) => {
      await trx.withTables<Tables>().selectFrom("item").selectAll().execute();
      const write = second.db.withTables<Tables>().insertInto("item").values({ name: "b", bytes: null });
      await expect(write.execute()).rejects.toThrow(/locked|busy/i);
    });
  });

  it("keeps what was committed, and runs each migration once, over a restart", async () => {
    const first = await openHere();
    await first.migrate("test", MIGRATIONS);
    await first.db.withTables<Tables>().insertInto("item").values({ name: "kept", bytes: null }).execute();
    await first.close();
    const second = await openHere();
    await second.migrate("test", MIGRATIONS);
    const rows = await second.db.withTables<Tables>().selectFrom("item").select("name").execute();
    expect(rows).toEqual([{ name: "kept" }]);
  });

  it("gives each domain migration tables of its own", async () => {
    const store = await openHere(":memory:");
    await store.migrate("one", MIGRATIONS);
    const other = {
      "001": {
        up: async (db: Parameters<Migration["up"]>[0]) => void (await sql`create table thing (id integer)`.execute(db)),
      },
    };
    await store.migrate("two", other);
    const { rows } = await sql<{
      name: string;
    }>`select name from sqlite_master where name like '%migration' order by name`.execute(store.db);
    expect(rows.map((row) => row.name)).toEqual(["one_migration", "two_migration"]);
  });

  it("keeps nothing of a migration that fails half way", async () => {
    const store = await openHere();
    const broken: Readonly<Record<string, Migration>> = {
      "001": {
        async up(db) {
          await sql`create table half (id integer)`.execute(db);
          await sql`create table half (id integer)`.execute(db);
        },
      },
    };
    await expect(store.migrate("test", broken)).rejects.toMatchObject({ code: "ERR_STORE_MIGRATION" });
    const { rows } = await sql`select name from sqlite_master where name = 'half'`.execute(store.db);
    expect(rows).toEqual([]);
  });

  it("refuses a database that a newer version has migrated further", async () => {
    const store = await openHere();
    await store.migrate("test", { ...MIGRATIONS, "002": { up: async () => {} } });
    await expect(store.migrate("test", MIGRATIONS)).rejects.toMatchObject({ code: "ERR_STORE_MIGRATION" });
  });

  it("refuses a file that is not a database, and a folder that is missing", async () => {
    const file = join(folder, "text.db");
    await writeFile(file, "this is not a database, it is only text".repeat(100));
    await expect(openStore({ file, driver })).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
    await expect(openStore({ file: join(folder, "none", "x.db"), driver })).rejects.toMatchObject({
      code: "ERR_STORE_OPEN",
    });
  });

  it("holds everything in one file once it is closed: a copy of it is a backup", async () => {
    const first = await openHere();
    await first.migrate("test", MIGRATIONS);
    await first.db.withTables<Tables>().insertInto("item").values({ name: "kept", bytes: null }).execute();
    await first.close();
    const copy = join(folder, "copy.db");
    await copyFile(join(folder, "state.db"), copy);
    const second = await openHere(copy);
    const rows = await second.db.withTables<Tables>().selectFrom("item").select("name").execute();
    expect(rows).toEqual([{ name: "kept" }]);
  });

  it("can be closed before and after its first query, and twice", async () => {
    const unused = await openHere();
    await unused.close();
    await unused.close();
    const used = await openHere();
    await sql`select 1`.execute(used.db);
    await used.close();
  });
});
