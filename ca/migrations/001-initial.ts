import { type Kysely, type Migration, sql } from "kysely";

const TABLES = [
  "create table ca_setting (name text primary key, value text not null) strict",
  `create table ca_authority (
     serial text primary key,
     role text not null check (role in ('root', 'intermediate', 'policy-signer')),
     key_name text not null unique,
     certificate blob not null,
     generation integer not null,
     unique (role, generation)
   ) strict`,
  `create table ca_ledger (
     sequence integer primary key,
     at text not null,
     kind text not null,
     identity text not null,
     serial text unique,
     not_after text,
     node text,
     evidence text not null,
     reason text,
     fingerprint text,
     previous text not null unique,
     hash text not null unique
   ) strict`,
  "create index ca_ledger_identity on ca_ledger (identity, not_after)",
  "create index ca_ledger_node on ca_ledger (node, not_after)",
  `create table ca_join_token (
     id text primary key,
     secret_hash blob not null,
     node text not null,
     created_at text not null,
     expires_at text not null,
     used_at text,
     refusals integer not null
   ) strict`,
  `create table ca_bundle (
     epoch integer not null,
     revision integer not null,
     payload blob not null,
     signature text not null,
     signer text not null,
     primary key (epoch, revision)
   ) strict`,
  "create table ca_shard (sha256 text primary key, content blob not null) strict",
  `create table ca_revocations (
     sequence integer primary key,
     payload blob not null,
     signature text not null,
     signer text not null
   ) strict`,
  `create table ca_revoked_serial (
     serial text primary key, not_after text not null, revoked_at text not null, reason text not null, actor text not null
   ) strict`,
  `create table ca_revoked_identity (
     identity text primary key, revoked_at text not null, reason text not null, actor text not null
   ) strict`,
  `create table ca_revoked_node (
     node text primary key, revoked_at text not null, reason text not null, actor text not null
   ) strict`,
];

/** The authority's first tables. The ledger is appended to and nothing else: the database itself refuses changes. */
export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const text of TABLES) await sql.raw(text).execute(db);
    for (const change of ["update", "delete"]) {
      const body = "begin select raise(abort, 'the ledger is append-only'); end";
      await sql.raw(`create trigger ca_ledger_no_${change} before ${change} on ca_ledger ${body}`).execute(db);
    }
  },
};
