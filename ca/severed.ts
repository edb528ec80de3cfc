import { z } from "zod";
import { readSetting, writeSetting } from "./settings.ts";
import type { CaDatabase } from "./tables.ts";

/** A caller whose open streams and connections are to be ended. */
export interface Severed {
  readonly identity: string;
  readonly at: string;
}

/** As long as a stream or connection through a sidecar can last, and five minutes for clocks that differ. */
const NAMED_MS = 3_900_000;

const severedList = z.array(z.strictObject({ identity: z.string(), at: z.string() }));

/** The callers of now. */
export async function readSevered(db: CaDatabase, now: Date): Promise<readonly Severed[]> {
  const all = severedList.parse(JSON.parse((await readSetting(db, "severed")) ?? "[]"));
  return all.filter(({ at }) => now.getTime() - new Date(at).getTime() < NAMED_MS);
}

/** Adds callers; one that is named already is named anew. */
export async function sever(db: CaDatabase, identities: readonly string[], now: Date): Promise<void> {
  const others = (await readSevered(db, now)).filter(({ identity }) => !identities.includes(identity));
  const added = identities.map((identity) => ({ identity, at: now.toISOString() }));
  await writeSetting(db, "severed", JSON.stringify([...others, ...added]));
}
