import type { Generated } from "kysely";
import { type Migration, sql } from "kysely";

/** The authority's own tables. */
export type AuthorityTables = {
  /** One row, `id` 1: the files of the last good publish. */
  readonly authority_published_set: {
    readonly id: number;
    readonly publisher: string;
    readonly files: string;
    /** JSON: approvers and commit. */
    readonly provenance: string | null;
  };
  /** One row, `id` 1: JSON of the publishes that wait for approval. */
  readonly authority_pending: { readonly id: number; readonly publishes: string };
  /** Attestation tokens that were used, until they expire. */
  readonly authority_spent_token: { readonly digest: string; readonly expires_at: string };
  /** What is known of federated trust domains. */
  readonly authority_foreign_bundle: {
    readonly trust_domain: string;
    /** SHA-256 of the document that the mesh gave to begin with. */
    readonly origin: string;
    /** SPIFFE bundle document. */
    readonly document: string;
    /** ISO instant of the newest answer of its endpoint, UTC. */
    readonly fetched_at: string | null;
  };
  readonly authority_audit: {
    readonly sequence: Generated<number>;
    /** ISO instant, UTC. */
    readonly at: string;
    readonly actor: string;
    readonly action: string;
    readonly outcome: string;
    readonly subject: string;
    readonly detail: string | null;
  };
};

/** Migrations of the domain `authority`, in the order of their names. */
export const AUTHORITY_MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001": {
    async up(db) {
      await sql`create table authority_published_set (
        id integer primary key check (id = 1),
        publisher text not null,
        files text not null
      )`.execute(db);
      await sql`create table authority_audit (
        sequence integer primary key,
        at text not null,
        actor text not null,
        action text not null,
        outcome text not null check (outcome in ('done', 'refused')),
        subject text not null,
        detail text
      )`.execute(db);
    },
  },
  "002": {
    async up(db) {
      await sql`alter table authority_published_set add column provenance text`.execute(db);
      await sql`create table authority_pending (
        id integer primary key check (id = 1),
        publishes text not null
      )`.execute(db);
    },
  },
  "003": {
    async up(db) {
      await sql`create table authority_spent_token (
        digest text primary key,
        expires_at text not null
      )`.execute(db);
      await sql`create table authority_foreign_bundle (
        trust_domain text primary key,
        origin text not null,
        document text not null,
        fetched_at text
      )`.execute(db);
    },
  },
};
