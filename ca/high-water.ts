import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { revocationsDocument } from "../protocol/index.ts";
import { writeFileAtomically } from "./atomic-write.ts";
import { CaError } from "./ca-error.ts";
import { ledgerHead } from "./ledger.ts";
import { readSetting } from "./settings.ts";
import type { CaDatabase } from "./tables.ts";

const counter = z.int().nonnegative();

/** How far the authority has come, as it is known outside of its database. */
const highWater = z.strictObject({
  epoch: counter,
  /** The ledger's newest entry. */
  ledger: z.strictObject({ sequence: counter, hash: z.string() }),
  bundleSequence: counter,
  /** Everything that is revoked: what a restored database must not forget. */
  revocations: revocationsDocument.optional(),
});
export type HighWater = z.infer<typeof highWater>;

const FILE = "high-water.json";
/** A quiet ledger is noted at each look at what is due, a busy one at most this often. */
const NOTE_MS = 1_000;

/** Reads the mark that lies beside the keys; nothing where there is none. `ERR_CA_STATE` for one that cannot be read. */
export async function readHighWater(keyFolder: string): Promise<HighWater | undefined> {
  const file = join(keyFolder, FILE);
  try {
    return highWater.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CaError("ERR_CA_STATE", `cannot read the high-water mark \`${file}\``, {
      hint: "restore it from a backup; `cellwall ca recover` goes on without it",
      cause: error,
    });
  }
}

/**
 * Refuses a database that has less than was written here once: `ERR_CA_LOSS`.
 *
 * SECURITY: a restored database has forgotten certificates and revocations. Going on quietly would bring back who was
 * revoked, and agents would refuse everything as older than what they know.
 */
export async function demandNothingLost(db: CaDatabase, mark: HighWater): Promise<void> {
  // A database that knows nothing at all is told apart by the keys that lie there.
  if ((await readSetting(db, "trust_domain")) === undefined) return;
  const { hash, sequence } = mark.ledger;
  const head = await ledgerHead(db);
  const row = db.selectFrom("ca_ledger").select("hash").where("sequence", "=", sequence);
  const same = sequence === 0 || (await row.executeTakeFirst())?.hash === hash;
  const behind = head.sequence < sequence ? `it ends at entry ${head.sequence} of ${sequence}` : undefined;
  const other = same ? undefined : `entry ${sequence} is not the one that was written here`;
  const numbers = await numbersOf(db);
  const older =
    numbers.epoch < mark.epoch || numbers.bundleSequence < mark.bundleSequence ? "it is of an earlier time" : undefined;
  const problem = behind ?? other ?? older;
  if (problem === undefined) return;
  throw new CaError("ERR_CA_LOSS", `the database has lost what the authority has issued: ${problem}`, {
    hint: "restore a newer backup of it; or go on from this one with `cellwall ca recover`",
  });
}

/** Keeps the mark up to date. */
export class HighWaterKeeper {
  readonly #file: string;
  readonly #db: CaDatabase;
  #written = "";
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(keyFolder: string, db: CaDatabase) {
    this.#file = join(keyFolder, FILE);
    this.#db = db;
  }

  /** Notes where the authority stands: at once where `now`, else if the last note is a while ago. */
  async note(revocations: HighWater["revocations"], now: boolean): Promise<void> {
    if (!now && performance.now() - this.#writtenMs < NOTE_MS) return;
    const ledger = await ledgerHead(this.#db);
    const text = JSON.stringify({ ...(await numbersOf(this.#db)), ledger, revocations } satisfies HighWater);
    if (text === this.#written) return;
    await writeFileAtomically(this.#file, text);
    this.#written = text;
    this.#writtenMs = performance.now();
  }
}

/** The numbers of a database that only grow. */
export async function numbersOf(db: CaDatabase): Promise<Pick<HighWater, "epoch" | "bundleSequence">> {
  const read = async (name: "epoch" | "bundle_sequence") => Number((await readSetting(db, name)) ?? "1");
  return { epoch: await read("epoch"), bundleSequence: await read("bundle_sequence") };
}
