import { chmod, open as openFile } from "node:fs/promises";
import { Kysely, type Migration, Migrator, sql } from "kysely";
import { sqliteDialect } from "./dialect.ts";
import { type Driver, type DriverName, openDriver } from "./driver.ts";
import { StoreError } from "./store-error.ts";

/** An open database. */
export interface Store {
  /** Which binding it runs on. */
  readonly driver: DriverName;
  /** The query builder; a domain names its own tables by `db.withTables<…>()`. Blobs come back as Buffers. */
  readonly db: Kysely<unknown>;
  /**
   * Brings a domain's tables to their newest form. Migrations run in the order of their names, all of them in one
   * transaction, and are noted in `<domain>_migration`. Throws `ERR_STORE_MIGRATION`.
   */
  migrate(domain: string, migrations: Readonly<Record<string, Migration>>): Promise<void>;
  close(): Promise<void>;
}

/** Where the database lies; `:memory:` is one that ends with the process. */
export interface StoreOptions {
  readonly file: string;
  /** The binding to use; else the best one that this Node can load. */
  readonly driver?: DriverName;
}

const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the database, creating it with mode 0600 where it is missing: write-ahead log, every commit on the disk before
 * it returns, foreign keys held. Throws `StoreError` `ERR_STORE_OPEN` or `ERR_STORE_DRIVER`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { file } = options;
  await ownFile(file);
  const driver = await openDriverOf(options);
  try {
    configure(driver, file === ":memory:");
  } catch (error) {
    driver.close();
    throw unopened(file, error);
  }
  const db = new Kysely<unknown>({ dialect: sqliteDialect(driver) });
  const migrate: Store["migrate"] = (domain, migrations) => migrateDomain(db, domain, migrations);
  // A first query: Kysely closes only a database that it has used.
  await sql`select 1`.execute(db);
  return Object.freeze({ driver: driver.name, db, migrate, close: () => db.destroy() });
}

/** SQLite gives the log and index files beside the database the database's own mode. */
async function ownFile(file: string): Promise<void> {
  if (file === ":memory:") return;
  try {
    const handle = await openFile(file, "a", 0o600);
    await handle.close();
    await chmod(file, 0o600);
  } catch (error) {
    throw unopened(file, error);
  }
}

async function openDriverOf(options: StoreOptions): Promise<Driver> {
  try {
    return await openDriver(options.file, options.driver);
  } catch (error) {
    throw error instanceof StoreError ? error : unopened(options.file, error);
  }
}

function unopened(file: string, cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError("ERR_STORE_OPEN", `cannot open the database \`${file}\`: ${reason}`, {
    hint: "check that the folder exists, that you may write there, and that the file is a database",
    cause,
  });
}

/** Sets and reads back each setting: SQLite ignores what it cannot do. */
function configure(driver: Driver, inMemory: boolean): void {
  pragma(driver, `busy_timeout = ${BUSY_TIMEOUT_MS}`);
  demand(driver, "journal_mode", "WAL", inMemory ? "memory" : "wal");
  demand(driver, "synchronous", "FULL", 2);
  demand(driver, "foreign_keys", "ON", 1);
}

function demand(driver: Driver, name: string, setting: string, expected: string | number): void {
  pragma(driver, `${name} = ${setting}`);
  const actual = pragma(driver, name);
  if (actual !== expected) throw new Error(`${name} is \`${String(actual)}\` where \`${expected}\` is needed`);
}

function pragma(driver: Driver, text: string): unknown {
  const statement = driver.prepare(`pragma ${text}`);
  if (!statement.reader) return void statement.run([]);
  return Object.values(statement.all([])[0] ?? {})[0];
}

async function migrateDomain(
  db: Kysely<unknown>,
  domain: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  if (!/^[a-z][a-z0-9_]*$/.test(domain)) throw new TypeError(`not a domain's name: ${domain}`);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: `${domain}_migration`,
    migrationLockTableName: `${domain}_migration_lock`,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === "Error")?.migrationName ?? "its list of migrations";
  throw new StoreError("ERR_STORE_MIGRATION", `cannot bring the tables of \`${domain}\` up to date: ${failed}`, {
    hint: "a database written by a newer version cannot be read by an older one; restore the matching backup",
    cause: error,
  });
}
