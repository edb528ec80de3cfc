import { type Kysely, type Migration, sql } from "kysely";

/**
 * Signing authorities with a state, so that one can lie prepared beside the one in use, and a signing key for tokens.
 * What was there before is in use; instants that nobody wrote down are the migration's own.
 */
export const rotation: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const now = new Date().toISOString();
    await sql`create table ca_authority_next (
      serial text primary key,
      role text not null check (role in ('root', 'intermediate', 'policy-signer', 'jwt')),
      state text not null check (state in ('prepared', 'active', 'retired')),
      key_name text unique,
      certificate blob not null,
      links text,
      generation integer not null,
      prepared_at text not null,
      activate_from text,
      activate_by text,
      activated_at text,
      retired_at text,
      retired_sequence integer,
      remove_at text,
      not_after text,
      compromised integer not null default 0,
      unique (role, generation)
    ) strict`.execute(db);
    await sql`insert into ca_authority_next
      (serial, role, state, key_name, certificate, generation, prepared_at, activated_at)
      select serial, role, 'active', key_name, certificate, generation, ${now}, ${now} from ca_authority`.execute(db);
    await sql`drop table ca_authority`.execute(db);
    await sql`alter table ca_authority_next rename to ca_authority`.execute(db);
    await sql`create unique index ca_authority_in_use on ca_authority (role) where state = 'active'`.execute(db);
    await sql`create unique index ca_authority_next_up on ca_authority (role) where state = 'prepared'`.execute(db);
    await sql`insert into ca_setting (name, value)
      select 'bundle_sequence', '1' where exists (select 1 from ca_setting where name = 'trust_domain')`.execute(db);
  },
};
