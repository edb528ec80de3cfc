import type { CaDatabase } from "./tables.ts";

/** Names of the authority's settings in the store. */
export type SettingName =
  | "trust_domain"
  | "epoch"
  | "bundle_sequence"
  | "revocations_floor"
  | "brought_root"
  | "severed";

/** A setting, or nothing where it has never been written. */
export async function readSetting(db: CaDatabase, name: SettingName): Promise<string | undefined> {
  const row = await db.selectFrom("ca_setting").select("value").where("name", "=", name).executeTakeFirst();
  return row?.value;
}

export async function writeSetting(db: CaDatabase, name: SettingName, value: string): Promise<void> {
  const insert = db.insertInto("ca_setting").values({ name, value });
  await insert.onConflict((conflict) => conflict.column("name").doUpdateSet({ value })).execute();
}
