import { z } from "zod";
import type { Store } from "../store/index.ts";
import type { SpentTokens } from "./attestation/spent-tokens.ts";
import type { AuditEntry, AuditTrail } from "./audit.ts";
import type { ForeignBundleStore } from "./federation/foreign-bundle-store.ts";
import { AUTHORITY_MIGRATIONS, type AuthorityTables } from "./migrations/index.ts";
import type { PolicyArchive } from "./policy-archive.ts";

/** What an authority keeps across restarts. */
export interface AuthorityRecords {
  readonly archive: PolicyArchive;
  readonly audit: AuditTrail;
  readonly spent: SpentTokens;
  readonly foreign: ForeignBundleStore;
}

/** The records in a store, their tables brought up to date; errors are the store's. */
export async function openRecords(store: Store): Promise<AuthorityRecords> {
  await store.migrate("authority", AUTHORITY_MIGRATIONS);
  const db = store.db.withTables<AuthorityTables>();
  return { archive: archiveIn(db), audit: auditIn(db), spent: spentIn(db), foreign: foreignIn(db) };
}

type Database = ReturnType<typeof typedDatabase>;
const typedDatabase = (store: Store) => store.db.withTables<AuthorityTables>();

const policyFiles = z.array(
  z
    .strictObject({ path: z.string(), text: z.string(), source: z.string().optional() })
    .transform(({ source, ...file }) => (source === undefined ? file : { ...file, source })),
);

const provenance = z
  .strictObject({ approvers: z.array(z.string()).optional(), commit: z.string().optional() })
  .transform(({ approvers, commit }) => ({
    ...(approvers === undefined ? {} : { approvers }),
    ...(commit === undefined ? {} : { commit }),
  }));

const pendingPublish = z
  .strictObject({
    id: z.string(),
    at: z.iso.datetime().transform((text) => new Date(text)),
    publisher: z.string(),
    source: z.string(),
    commit: z.string().optional(),
    why: z.string(),
    base: z.string(),
    files: policyFiles,
  })
  .transform(({ commit, ...rest }) => (commit === undefined ? rest : { ...rest, commit }));

function archiveIn(db: Database): PolicyArchive {
  return {
    async load() {
      const row = await db.selectFrom("authority_published_set").selectAll().executeTakeFirst();
      if (row === undefined) return undefined;
      const { publisher, files } = row;
      const origin = provenance.parse(JSON.parse(row.provenance ?? "{}"));
      return { publisher, files: policyFiles.parse(JSON.parse(files)), ...origin };
    },
    async save(set) {
      if (set === undefined) {
        await db.deleteFrom("authority_published_set").execute();
        return;
      }
      const { publisher, files, ...origin } = set;
      const row = { publisher, files: JSON.stringify(files), provenance: JSON.stringify(origin) };
      await db
        .insertInto("authority_published_set")
        .values({ id: 1, ...row })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
        .execute();
    },
    async pending() {
      const row = await db.selectFrom("authority_pending").selectAll().executeTakeFirst();
      return row === undefined ? [] : z.array(pendingPublish).parse(JSON.parse(row.publishes));
    },
    async savePending(all) {
      const row = { publishes: JSON.stringify(all) };
      await db
        .insertInto("authority_pending")
        .values({ id: 1, ...row })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
        .execute();
    },
  };
}

const auditEntry = z.object({
  at: z.iso.datetime().transform((text) => new Date(text)),
  actor: z.string(),
  action: z.enum(["publish", "request-approval", "revoke", "rotate", "create-join-token", "enrol", "start", "stop"]),
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

function spentIn(db: Database): SpentTokens {
  return {
    async spend(digest, expiresAt, now) {
      await db.deleteFrom("authority_spent_token").where("expires_at", "<", now.toISOString()).execute();
      const row = { digest, expires_at: expiresAt.toISOString() };
      const insert = db.insertInto("authority_spent_token").values(row);
      const result = await insert.onConflict((conflict) => conflict.column("digest").doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
  };
}

function foreignIn(db: Database): ForeignBundleStore {
  const table = "authority_foreign_bundle";
  return {
    async load() {
      const rows = await db.selectFrom(table).selectAll().execute();
      return rows.map(({ trust_domain, origin, document, fetched_at }) => ({
        trustDomain: trust_domain,
        origin,
        document,
        ...(fetched_at === null ? {} : { fetchedAt: new Date(fetched_at) }),
      }));
    },
    async save({ trustDomain, origin, document, fetchedAt }) {
      const row = { origin, document, fetched_at: fetchedAt?.toISOString() ?? null };
      const insert = db.insertInto(table).values({ trust_domain: trustDomain, ...row });
      await insert.onConflict((conflict) => conflict.column("trust_domain").doUpdateSet(row)).execute();
    },
    async remove(trustDomain) {
      await db.deleteFrom(table).where("trust_domain", "=", trustDomain).execute();
    },
  };
}
