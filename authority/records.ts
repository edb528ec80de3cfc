import { z } from "zod";
import type { Store } from "../store/index.ts";
import type { AuditEntry, AuditTrail } from "./audit.ts";
import { AUTHORITY_MIGRATIONS, type AuthorityTables } from "./migrations/index.ts";
import type { PolicyArchive } from "./policy-archive.ts";

/** What an authority keeps across restarts. */
export interface AuthorityRecords {
  readonly archive: PolicyArchive;
  readonly audit: AuditTrail;
}

/** The records in a store, their tables brought up to date; errors are the store's. */
export async function openRecords(store: Store): Promise<AuthorityRecords> {
  await store.migrate("authority", AUTHORITY_MIGRATIONS);
  const db = store.db.withTables<AuthorityTables>();
  return { archive: archiveIn(db), audit: auditIn(db) };
}

type Database = ReturnType<typeof typedDatabase>;
const typedDatabase = (store: Store) => store.db.withTables<AuthorityTables>();

const policyFiles = z.array(z.strictObject({ path: z.string(), text: z.string() }));

function archiveIn(db: Database): PolicyArchive {
  return {
    async load() {
      const row = await db.selectFrom("authority_published_set").selectAll().executeTakeFirst();
      if (row === undefined) return undefined;
      return { publisher: row.publisher, files: policyFiles.parse(JSON.parse(row.files)) };
    },
    async save(set) {
      if (set === undefined) {
        await db.deleteFrom("authority_published_set").execute();
        return;
      }
      const row = { publisher: set.publisher, files: JSON.stringify(set.files) };
      await db
        .insertInto("authority_published_set")
        .values({ id: 1, ...row })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
        .execute();
    },
  };
}

const auditEntry = z.object({
  at: z.iso.datetime().transform((text) => new Date(text)),
  actor: z.string(),
  action: z.enum(["publish", "revoke", "create-join-token", "enrol", "start", "stop"]),
  outcome: z.enum(["done", "refused"]),
  subject: z.string(),
  detail: z.string().nullable(),
});

function auditIn(db: Database): AuditTrail {
  return {
    async record({ at, detail = null, ...entry }) {
      await db
        .insertInto("authority_audit")
        .values({ ...entry, at: at.toISOString(), detail })
        .execute();
    },
    async list({ limit = 100 } = {}) {
      const rows = await db
        .selectFrom("authority_audit")
        .select(["at", "actor", "action", "outcome", "subject", "detail"])
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(readEntry);
    },
  };
}

function readEntry(row: unknown): AuditEntry {
  const { detail, ...entry } = auditEntry.parse(row);
  return detail === null ? entry : { ...entry, detail };
}
