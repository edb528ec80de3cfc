import { randomBytes } from "node:crypto";
import type { Migration } from "kysely";
import { shardOf } from "../policies/index.ts";
import { systemId, type TrustDomain } from "../spiffe/index.ts";
import type { Store } from "../store/index.ts";
import { type Brought, requestIntermediate } from "./bring.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import type { CaContext, CrashPoint } from "./context.ts";
import { startCounting } from "./counters.ts";
import { openHierarchy } from "./hierarchy.ts";
import { demandNothingLost, HighWaterKeeper, readHighWater } from "./high-water.ts";
import { openKeyFolder } from "./key-folder.ts";
import { ledgerHead } from "./ledger.ts";
import { type Lifetimes, resolveLifetimes } from "./lifetimes.ts";
import { migrations } from "./migrations/index.ts";
import { openPolicyBundles, type ShardOf } from "./policy-bundles.ts";
import { type Recovery, recover } from "./recover.ts";
import { RevocationLists } from "./revocation-lists.ts";
import { openRevocations } from "./revocations.ts";
import { RunningAuthority } from "./running-authority.ts";
import type { CaTables } from "./tables.ts";
import { systemTimers, type Timers } from "./timers.ts";

/** What a certificate authority is opened with. */
export interface CaOptions {
  readonly store: Store;
  /** Folder of the private keys; 0700, each file 0600. */
  readonly keyFolder: string;
  /** Encrypts the private keys on disk. */
  readonly keyPassphrase?: string | undefined;
  /** What to found it on at first use, instead of keys of its own; `ERR_CA_IMPORT` where it exists already. */
  readonly brought?: Brought | undefined;
  readonly trustDomain: TrustDomain;
  readonly clock: () => Date;
  readonly lifetimes?: Partial<Lifetimes>;
  /** Source of serials, token secrets and names; the system's own where absent. */
  readonly random?: (size: number) => Buffer;
  readonly timers?: Timers;
  /** Told of a renewal that failed; it is tried again. A process warning where absent. */
  readonly onProblem?: (error: unknown) => void;
  /** `iss` of JWT-SVIDs: the URL that serves OpenID Connect discovery. Asked for each token; none where absent. */
  readonly jwtIssuer?: () => string | undefined;
  /** Called between steps that must not come apart; for tests. */
  readonly reached?: (point: CrashPoint) => void;
  /** Makes a destination's shard; the policies' own where absent. */
  readonly shardOf?: ShardOf;
  /** Signs lists of revoked certificates (CRLs) too; `ERR_CA_OFFLINE` where they cannot cover the whole chain. */
  readonly revocationLists?: boolean | undefined;
}

/**
 * Opens the authority of a trust domain; on first use creates its keys, root, intermediate and policy signer.
 * Throws `CaError` `ERR_CA_TRUST_DOMAIN`, `ERR_CA_STATE`, `ERR_CA_KEY_FILE`, `ERR_CA_LIFETIME`.
 */
export async function openCertificateAuthority(options: CaOptions): Promise<CertificateAuthority> {
  const context = await contextOf(options);
  const mark = await readHighWater(context.keys.path);
  // Before anything else: what the database does not know any more is not to be tidied away.
  if (mark !== undefined) await demandNothingLost(context.db, mark);
  const hierarchy = await openHierarchy(context, options.brought);
  const revocations = await openRevocations(context, hierarchy);
  const bundles = await openPolicyBundles(context, hierarchy, options.shardOf ?? shardOf);
  const onProblem = options.onProblem ?? warn;
  const parts = { context, hierarchy, revocations, onProblem };
  const lists = options.revocationLists === true ? new RevocationLists(parts) : undefined;
  const authority = new RunningAuthority({
    context,
    hierarchy,
    revocations,
    bundles,
    counters: startCounting(),
    head: await ledgerHead(context.db),
    timers: options.timers ?? systemTimers,
    onProblem,
    lists,
    highWater: new HighWaterKeeper(context.keys.path, context.db),
  });
  try {
    await authority.renewDue();
    lists?.demandWhole();
  } catch (error) {
    await authority.close();
    throw error;
  }
  return authority;
}

/**
 * Makes an authority usable again whose database has lost entries, e.g. since it was restored from a backup. It must not run
 * meanwhile. Throws as `openCertificateAuthority` does.
 */
export async function recoverCertificateAuthority(options: CaOptions): Promise<Recovery> {
  const context = await contextOf(options);
  const mark = await readHighWater(context.keys.path);
  const recovery = await recover(context, mark);
  await new HighWaterKeeper(context.keys.path, context.db).note(mark?.revocations, true);
  return recovery;
}

/** What a database has lost that was written here once; nothing where all is there. */
export async function lossOf(options: CaOptions): Promise<string | undefined> {
  const context = await contextOf(options);
  const mark = await readHighWater(context.keys.path);
  if (mark === undefined) return undefined;
  return demandNothingLost(context.db, mark).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** A request for an intermediate, as PEM; its key waits in the key folder. The authority need not exist yet. */
export async function requestCertificate(
  options: Pick<CaOptions, "keyFolder" | "keyPassphrase" | "trustDomain">,
): Promise<string> {
  const keys = await openKeyFolder(options.keyFolder, options.keyPassphrase);
  return requestIntermediate({ keys, random: randomBytes, trustDomain: options.trustDomain });
}

async function contextOf(options: CaOptions): Promise<CaContext> {
  const lifetimes = resolveLifetimes(options.lifetimes);
  const reached = options.reached ?? (() => undefined);
  await options.store.migrate(
    "ca",
    watched(migrations, () => reached("migrated")),
  );
  return Object.freeze({
    trustDomain: options.trustDomain,
    db: options.store.db.withTables<CaTables>(),
    keys: await openKeyFolder(options.keyFolder, options.keyPassphrase),
    lifetimes,
    clock: options.clock,
    random: options.random ?? randomBytes,
    signerId: systemId(options.trustDomain, "policy-signer"),
    jwtIssuer: options.jwtIssuer ?? (() => undefined),
    reached,
  });
}

function watched(all: typeof migrations, reached: () => void): typeof migrations {
  const watch = ([name, { up }]: [string, Migration]): [string, Migration] => [
    name,
    {
      up: async (db) => {
        await up(db);
        reached();
      },
    },
  ];
  return Object.fromEntries(Object.entries(all).map(watch));
}

function warn(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(`the certificate authority could not renew what is due: ${reason}`);
}
