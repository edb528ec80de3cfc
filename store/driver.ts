import type { SqliteDatabase, SqliteStatement } from "kysely";
import { keepStatements } from "./statements.ts";
import { StoreError } from "./store-error.ts";
import { fromSqlRow, toSqlValue } from "./values.ts";

/** The two SQLite bindings that the store runs on. */
export type DriverName = "node:sqlite" | "libsql";

/** One open database: what Kysely needs of it. */
export interface Driver extends SqliteDatabase {
  readonly name: DriverName;
}

type Open = (file: string) => Driver;

/** What both bindings' prepared statements can do, apart from saying whether they return rows. */
interface NativeStatement {
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  iterate(...parameters: unknown[]): Iterable<unknown>;
}

interface NodeSqlite {
  readonly DatabaseSync: new (
    file: string,
  ) => { prepare(sql: string): NativeStatement & { columns(): unknown[] }; close(): void };
}

/** Opens `file` with the binding of that name, or with the first of the two that this Node can load. */
export async function openDriver(file: string, name?: DriverName): Promise<Driver> {
  const failures: unknown[] = [];
  for (const candidate of name === undefined ? preferred() : [name]) {
    const open = await load(candidate).catch((error: unknown) => void failures.push(error));
    if (open === undefined) continue;
    const driver = open(file);
    return { name: driver.name, ...keepStatements(driver) };
  }
  throw new StoreError("ERR_STORE_DRIVER", "no SQLite driver can be loaded on this machine", {
    hint: "use Node 24, which has SQLite built in, or install with optional packages so that `libsql` is complete",
    cause: new AggregateError(failures),
  });
}

/** `node:sqlite` is experimental, and says so on stderr, before Node 24. */
function preferred(): readonly DriverName[] {
  const major = Number(process.versions.node.split(".")[0]);
  return major >= 24 ? ["node:sqlite", "libsql"] : ["libsql", "node:sqlite"];
}

function load(name: DriverName): Promise<Open> {
  return name === "libsql" ? loadLibsql() : loadNodeSqlite();
}

async function loadLibsql(): Promise<Open> {
  const { default: Database } = await import("libsql");
  return (file) => {
    const database = new Database(file);
    const prepare = (sql: string) => {
      const statement = database.prepare(sql);
      // One array: a lone Buffer argument would end the process.
      return adapt(statement.reader, statement, (parameters) => [parameters]);
    };
    const close = (): void => {
      // It closes for good only when its statements have been collected; a copy of the file alone is to be whole before.
      try {
        if (database.open) database.exec("pragma wal_checkpoint(truncate)");
      } catch {
        // A file that is no database has no log either.
      }
      database.close();
    };
    return { name: "libsql", prepare, close };
  };
}

async function loadNodeSqlite(): Promise<Open> {
  const { DatabaseSync } = parseNodeSqlite(await import(String("node:sqlite")));
  return (file) => {
    const database = new DatabaseSync(file);
    const prepare = (sql: string) => {
      const statement = database.prepare(sql);
      return adapt(statement.columns().length > 0, statement, (parameters) => parameters);
    };
    return { name: "node:sqlite", prepare, close: () => database.close() };
  };
}

/** The module as this Node has it; its typings come only with later lines of Node than the oldest supported one. */
function parseNodeSqlite(module: unknown): NodeSqlite {
  const candidate = module as Partial<NodeSqlite & { StatementSync: { prototype: object } }>;
  if (candidate.DatabaseSync === undefined || !("columns" in (candidate.StatementSync?.prototype ?? {}))) {
    throw new StoreError("ERR_STORE_DRIVER", "this Node's own SQLite is too old: it cannot name a statement's columns");
  }
  return candidate as NodeSqlite;
}

function adapt(
  reader: boolean,
  statement: NativeStatement,
  spread: (parameters: unknown[]) => unknown[],
): SqliteStatement {
  const bind = (parameters: readonly unknown[]) => spread(parameters.map(toSqlValue));
  return {
    reader,
    all: (parameters) => statement.all(...bind(parameters)).map(fromSqlRow),
    run: (parameters) => statement.run(...bind(parameters)),
    *iterate(parameters) {
      for (const row of statement.iterate(...bind(parameters))) yield fromSqlRow(row);
    },
  };
}
