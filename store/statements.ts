import type { SqliteDatabase, SqliteStatement } from "kysely";

/** Multi-row inserts of every length have a text of their own. */
const MAX_KEPT = 256;
/** What leaves the tables' form as it is. */
const ORDINARY = /^\s*(?:select|insert|update|delete|begin|commit|rollback)\b/i;

/**
 * The same database, whose statements are prepared once for all their runs: preparing one costs as much as running it.
 * INVARIANT: statements are not kept beyond a change of tables, and none beyond the database's end.
 */
export function keepStatements(driver: SqliteDatabase): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = kept.get(sql);
    if (known !== undefined) return known;
    const statement = driver.prepare(sql);
    if (!ORDINARY.test(sql) || kept.size >= MAX_KEPT) kept.clear();
    if (!ORDINARY.test(sql)) return statement;
    // Rows that nobody has read to their end must not stand in the way of the next run.
    const lasting = {
      ...statement,
      iterate: (parameters: readonly unknown[]) => driver.prepare(sql).iterate(parameters),
    };
    kept.set(sql, lasting);
    return lasting;
  };
  const close = (): void => {
    kept.clear();
    driver.close();
  };
  return { prepare, close };
}
