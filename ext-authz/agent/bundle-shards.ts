import { createHash } from "node:crypto";
import { type PolicySet, readShards } from "../../policies/index.ts";
import type { BundleManifest } from "../../protocol/index.ts";
import type { TrustDomain } from "../../spiffe/index.ts";
import { RefusedBundle } from "./refused-bundle.ts";
import type { StateDir } from "./state-dir.ts";

/** What the shards come from. */
export interface BundleShardsOptions {
  readonly files: StateDir;
  /** Fetches a shard that is not on disk; what it throws is passed on, and the bundle is tried again. */
  readonly fetchShard: (sha256: string) => Promise<Uint8Array>;
}

const FOLDER = "shards";

/** The shards of bundles, on disk by their hashes. */
export class BundleShards {
  readonly #options: BundleShardsOptions;

  constructor(options: BundleShardsOptions) {
    this.#options = options;
  }

  /** What the shards of these destinations say; for a bundle on disk nothing is fetched. Throws `RefusedBundle`. */
  async read(
    wanted: readonly string[],
    { shards }: BundleManifest,
    source: "authority" | "disk",
  ): Promise<readonly unknown[]> {
    const hashes = new Map(Object.entries(shards));
    return await Promise.all(
      wanted.map((destination) => this.#shard(destination, hashes.get(destination) ?? "", source)),
    );
  }

  /** Removes what the manifest does not name. */
  keepOnly({ shards }: BundleManifest): void {
    const { files } = this.#options;
    const kept = new Set(Object.values(shards).map((sha256) => `${sha256}.json`));
    for (const name of files.list(FOLDER)) if (!kept.has(name)) files.remove(`${FOLDER}/${name}`);
  }

  async #shard(destination: string, sha256: string, source: "authority" | "disk"): Promise<unknown> {
    const { files, fetchShard } = this.#options;
    const name = `${FOLDER}/${sha256}.json`;
    const kept = files.read(name);
    if (kept !== undefined && hashOf(kept) === sha256) return parseShard(kept, destination);
    // A shard on disk that was changed, or is gone, is fetched again where that is possible.
    const bytes = source === "disk" ? kept : await fetchShard(sha256);
    if (bytes === undefined || hashOf(bytes) !== sha256) {
      throw new RefusedBundle(
        "tampered-shard",
        `the shard of \`${destination}\` does not have the hash that the manifest names`,
      );
    }
    files.write(name, bytes);
    return parseShard(bytes, destination);
  }
}

/** The set that shards make. SECURITY: a shard speaks for its own destination only, whatever it says of itself. */
export function setOf(shards: readonly unknown[], wanted: readonly string[], trustDomain: TrustDomain): PolicySet {
  const set = shards.length === 0 ? emptySet(trustDomain) : readShards(shards);
  const foreign = set.destinations.find((destination) => !wanted.includes(destination));
  if (foreign !== undefined) throw new RefusedBundle("tampered-shard", `a shard claims the destination \`${foreign}\``);
  return set;
}

/** The set of a bundle that holds none of this node's workloads: each is an unknown destination. */
function emptySet(trustDomain: TrustDomain): PolicySet {
  return {
    mesh: {
      trustDomain,
      defaultMode: "enforce",
      isolate: [],
      unregistered: "deny",
      federated: [],
      jwtProviders: new Map(),
    },
    nodes: [],
    workloads: [],
    unnamedCallers: [],
    destinations: [],
    policies: [],
    diagnostics: [],
  };
}

function parseShard(bytes: Uint8Array, destination: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new RefusedBundle("unreadable", `the shard of \`${destination}\` is not JSON`);
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
