import { createHash } from "node:crypto";
import type { PolicySet } from "../policies/index.ts";
import {
  type BundleManifest,
  bundleManifest,
  DOCUMENT_TYPES,
  parseMessage,
  type SignedEnvelope,
} from "../protocol/index.ts";
import { CaError } from "./ca-error.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { CaContext } from "./context.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { pastHalf } from "./lifetimes.ts";
import { readSetting } from "./settings.ts";
import { envelopeOf, signRow } from "./signed-row.ts";
import type { BundleRow, CaTransaction } from "./tables.ts";

/** The bundle that is served. */
export interface PublishedBundle {
  readonly envelope: SignedEnvelope;
  readonly manifest: BundleManifest;
}

/** What a publish came to; `published` is false where the content is that of the bundle in force. */
export interface PublishOutcome {
  readonly published: boolean;
  readonly epoch: number;
  readonly revision: number;
}

/** What a bundle records of how it came to be, beside its publisher. */
export type Provenance = Pick<BundleManifest, "approvers" | "commit" | "guardrails">;

/** Makes a destination's shard, a JSON value. */
export type ShardOf = (set: PolicySet, destination: string) => unknown;

/** Signed policy bundles: manifest, content-addressed shards, one order of (epoch, revision). */
export interface PolicyBundles {
  current(): PublishedBundle | undefined;
  /** Bytes of a shard of the bundle in force or the one before it. */
  shard(sha256: string): Uint8Array | undefined;
  /** Throws `ERR_CA_POLICY_SET`. */
  publish(set: PolicySet, publisher: string, provenance?: Provenance): Promise<PublishOutcome>;
  /** Publishes the same content again, under a new revision, where half its life is over or the signer has changed. */
  renew(): Promise<boolean>;
}

type Shards = ReadonlyMap<string, Buffer>;

interface State {
  readonly published: PublishedBundle;
  readonly signer: string;
  readonly shards: Shards;
}

/** Bundles that are kept, so that an agent which read the older manifest still finds its shards. */
const KEPT_BUNDLES = 2;

/** Loads the bundle in force; throws `ERR_CA_STATE` where the store holds a broken one. */
export async function openPolicyBundles(
  context: CaContext,
  hierarchy: Hierarchy,
  shardOf: ShardOf,
): Promise<PolicyBundles> {
  let state = await load(context);
  const commit = async (draft: Draft): Promise<PublishedBundle> => {
    state = await write(context, hierarchy, draft);
    return state.published;
  };
  return {
    current: () => state?.published,
    shard: (sha256) => state?.shards.get(sha256),
    publish: async (set, publisher, provenance = {}) => {
      demandSound(set, context);
      const draft = { ...draftOf(set, publisher, shardOf), provenance };
      const same =
        state !== undefined &&
        state.published.manifest.guardrails === provenance.guardrails &&
        canonicalJson(state.published.manifest.shards) === canonicalJson(draft.digests);
      const { manifest } = same && state !== undefined ? state.published : await commit(draft);
      return { published: !same, epoch: manifest.epoch, revision: manifest.revision };
    },
    renew: async () => {
      if (state === undefined) return false;
      const epoch = Number((await readSetting(context.db, "epoch")) ?? "1");
      // A recovery begins an epoch.
      const isPast = state.published.manifest.epoch < epoch;
      if (!isPast && !isDue(state, hierarchy, context.clock())) return false;
      const { shards: digests, publisher, ...manifest } = state.published.manifest;
      await commit({ digests, publisher, provenance: provenanceOf(manifest), shards: state.shards });
      return true;
    },
  };
}

/** A bundle before it has its place in the order. */
interface Draft {
  readonly digests: Readonly<Record<string, string>>;
  readonly publisher: string;
  readonly provenance: Provenance;
  readonly shards: Shards;
}

function provenanceOf({ approvers, commit, guardrails }: Provenance): Provenance {
  return {
    ...(approvers === undefined ? {} : { approvers }),
    ...(commit === undefined ? {} : { commit }),
    ...(guardrails === undefined ? {} : { guardrails }),
  };
}

function draftOf(set: PolicySet, publisher: string, shardOf: ShardOf): Omit<Draft, "provenance"> {
  const shards = new Map<string, Buffer>();
  const digests = [...set.destinations].sort().map((destination) => {
    const bytes = Buffer.from(canonicalJson(shardOf(set, destination)), "utf8");
    const sha256 = digestOf(bytes);
    shards.set(sha256, bytes);
    return [destination, sha256] as const;
  });
  return { digests: Object.fromEntries(digests), publisher, shards };
}

function demandSound(set: PolicySet, context: CaContext): void {
  const errors = set.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) {
    throw new CaError("ERR_CA_POLICY_SET", `a policy set with errors is not published: ${errors[0]?.message}`, {
      hint: `correct ${errors.length === 1 ? "it" : `all ${errors.length}`} first; \`cellwall check\` shows where`,
    });
  }
  const { trustDomain } = set.mesh;
  if (trustDomain !== context.trustDomain) {
    throw new CaError(
      "ERR_CA_POLICY_SET",
      `the policy set is of trust domain \`${trustDomain}\`, not of \`${context.trustDomain}\``,
    );
  }
}

function isDue(state: State, hierarchy: Hierarchy, now: Date): boolean {
  const { issuedAt, expiresAt } = state.published.manifest;
  return state.signer !== hierarchy.signer().serial || pastHalf(new Date(issuedAt), new Date(expiresAt), now);
}

/** Takes the next revision, signs and stores in one transaction; what it replaces is pruned in the same one. */
async function write(context: CaContext, hierarchy: Hierarchy, draft: Draft): Promise<State> {
  return context.db.transaction().execute(async (trx) => {
    const place = await nextPlace(trx);
    const manifest = manifestOf(context, draft, place);
    const row = { ...place, ...(await signRow(hierarchy, DOCUMENT_TYPES.bundle, manifest)) };
    await trx.insertInto("ca_bundle").values(row).execute();
    context.reached("manifest");
    for (const [sha256, content] of draft.shards) {
      await trx
        .insertInto("ca_shard")
        .values({ sha256, content })
        .onConflict((at) => at.doNothing())
        .execute();
    }
    return stateOf(row, await prune(trx));
  });
}

async function nextPlace(trx: CaTransaction): Promise<{ epoch: number; revision: number }> {
  const epoch = Number((await readSetting(trx, "epoch")) ?? "1");
  const newest = trx.selectFrom("ca_bundle").select("revision").where("epoch", "=", epoch).orderBy("revision", "desc");
  return { epoch, revision: ((await newest.limit(1).executeTakeFirst())?.revision ?? 0) + 1 };
}

function manifestOf(context: CaContext, draft: Draft, place: { epoch: number; revision: number }): BundleManifest {
  const issuedAt = context.clock();
  return {
    format: "cellwall.bundle/1",
    trustDomain: context.trustDomain,
    ...place,
    issuedAt: issuedAt.toISOString(),
    expiresAt: new Date(issuedAt.getTime() + context.lifetimes.bundleSeconds * 1000).toISOString(),
    publisher: draft.publisher,
    ...provenanceOf(draft.provenance),
    shards: { ...draft.digests },
  };
}

/** Drops older bundles and what only they used; returns the shards that are left. */
async function prune(trx: CaTransaction): Promise<Shards> {
  const rows = await newestBundles(trx).execute();
  const kept = new Set(rows.slice(0, KEPT_BUNDLES).flatMap((row) => Object.values(parseManifest(row.payload).shards)));
  for (const { epoch, revision } of rows.slice(KEPT_BUNDLES)) {
    await trx.deleteFrom("ca_bundle").where("epoch", "=", epoch).where("revision", "=", revision).execute();
  }
  const stored = await trx.selectFrom("ca_shard").selectAll().execute();
  for (const { sha256 } of stored.filter((shard) => !kept.has(shard.sha256))) {
    await trx.deleteFrom("ca_shard").where("sha256", "=", sha256).execute();
  }
  return shardsOf(stored.filter((shard) => kept.has(shard.sha256)));
}

async function load(context: CaContext): Promise<State | undefined> {
  const newest = await newestBundles(context.db).executeTakeFirst();
  if (newest === undefined) return undefined;
  return stateOf(newest, shardsOf(await context.db.selectFrom("ca_shard").selectAll().execute()));
}

function newestBundles(db: CaContext["db"]) {
  return db.selectFrom("ca_bundle").selectAll().orderBy("epoch", "desc").orderBy("revision", "desc");
}

function shardsOf(rows: readonly { readonly sha256: string; readonly content: Buffer }[]): Shards {
  return new Map(rows.map(({ sha256, content }) => [sha256, content]));
}

/** INVARIANT: every shard that the manifest names is there, with the bytes that its name says. */
function stateOf(row: BundleRow, shards: Shards): State {
  const manifest = parseManifest(row.payload);
  for (const sha256 of Object.values(manifest.shards)) {
    const content = shards.get(sha256);
    if (content === undefined || digestOf(content) !== sha256) {
      throw new CaError("ERR_CA_STATE", `the store lacks the sound bytes of shard \`${sha256}\``, {
        hint: "restore the database from a backup, then publish the policies again",
      });
    }
  }
  return {
    published: Object.freeze({ envelope: envelopeOf(row), manifest: Object.freeze(manifest) }),
    signer: row.signer,
    shards,
  };
}

function parseManifest(payload: Buffer): BundleManifest {
  return parseMessage(bundleManifest, JSON.parse(payload.toString("utf8")), "policy bundle");
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
