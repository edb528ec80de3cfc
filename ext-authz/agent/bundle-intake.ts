import { createHash } from "node:crypto";
import { z } from "zod";
import { type BundleManifest, bundleManifest, type SignedEnvelope, signedEnvelope } from "../../protocol/index.ts";
import type { TrustBundle, TrustDomain } from "../../spiffe/index.ts";
import { messageOf } from "../agent-error.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyInForce, PolicyState } from "../policy-state.ts";
import { BundleShards, type BundleShardsOptions, setOf } from "./bundle-shards.ts";
import type { Intake } from "./refusal.ts";
import { RefusedBundle } from "./refused-bundle.ts";
import { formatOf, openDocument, type StoredEnvelope } from "./signed-document.ts";

/** What the intake works with. */
export interface BundleIntakeOptions extends BundleShardsOptions {
  readonly clock: MonotonicClock;
  readonly state: PolicyState;
  /** The own trust domain's bundle; undefined before enrolment. */
  readonly trust: () => TrustBundle | undefined;
}

/** A manifest that is in force. */
interface Accepted {
  readonly manifest: BundleManifest;
  readonly trustDomain: TrustDomain;
  readonly digest: string;
  readonly source: "authority" | "disk";
}

/**
 * Readers by format: this version's and, once there is one, the version before. Each gives this version's manifest.
 */
const READERS: ReadonlyMap<string, z.ZodType<BundleManifest>> = new Map([["cellwall.bundle/1", bundleManifest]]);

const BUNDLE_FILE = "bundle.json";
const storedBundle = z.object({ envelope: signedEnvelope, issuedAt: z.string() });

/** Takes policy bundles in: verified, ordered, complete, compiled, put in force and kept on disk, or refused with a reason. */
export class BundleIntake {
  readonly #options: BundleIntakeOptions;
  readonly #shards: BundleShards;
  #destinations: readonly string[] = [];
  #accepted: Accepted | undefined;
  /** Which workloads the bundle in force was compiled for. */
  #inForceFor = "";
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: BundleIntakeOptions) {
    this.#options = options;
    this.#shards = new BundleShards(options);
  }

  /** Takes a bundle from the authority; its signer must be valid now. Rejects only for a shard that cannot be fetched. */
  take(envelope: SignedEnvelope): Promise<Intake> {
    return this.#inTurn(() => this.#refusable(() => this.#takeNew(envelope)));
  }

  /** Puts the bundle on disk in force again, verified as of its `issuedAt`; `unchanged` where there is none. */
  restore(): Promise<Intake> {
    return this.#inTurn(() => this.#refusable(() => this.#restore()));
  }

  /** Names the workloads whose shards are needed, and compiles anew if they changed. */
  serve(destinations: readonly string[]): Promise<Intake> {
    return this.#inTurn(() =>
      this.#refusable(async () => {
        this.#destinations = [...destinations].sort();
        if (this.#accepted === undefined || this.#inForceFor === keyOf(this.#destinations))
          return { kind: "unchanged" };
        await this.#use(this.#accepted);
        return { kind: "applied" };
      }),
    );
  }

  async #takeNew(envelope: SignedEnvelope): Promise<Intake> {
    const { clock } = this.#options;
    const candidate = await this.#open(envelope, clock.now(), "authority");
    const order = compareOrder(candidate, this.#accepted);
    if (order === "same") return { kind: "unchanged" };
    if (order !== "newer") throw refusedOrder(order, candidate, this.#accepted);
    if (Date.parse(candidate.manifest.expiresAt) <= clock.nowMs()) {
      throw new RefusedBundle("expired-when-first-seen", `it expired at ${candidate.manifest.expiresAt}`);
    }
    await this.#use(candidate);
    clock.told(new Date(candidate.manifest.issuedAt));
    const stored: StoredEnvelope = { envelope, issuedAt: candidate.manifest.issuedAt };
    this.#options.files.writeJson(BUNDLE_FILE, stored);
    this.#shards.keepOnly(candidate.manifest);
    return { kind: "applied" };
  }

  async #restore(): Promise<Intake> {
    const stored = storedBundle.safeParse(this.#options.files.readJson(BUNDLE_FILE));
    if (!stored.success) return { kind: "unchanged" };
    const candidate = await this.#open(stored.data.envelope, new Date(stored.data.issuedAt), "disk");
    if (candidate.manifest.issuedAt !== stored.data.issuedAt) {
      throw new RefusedBundle("unreadable", "the file names another `issuedAt` than the signed document");
    }
    const order = compareOrder(candidate, this.#accepted);
    if (order === "same") return { kind: "unchanged" };
    if (order !== "newer") throw refusedOrder(order, candidate, this.#accepted);
    await this.#use(candidate);
    return { kind: "applied" };
  }

  async #open(envelope: SignedEnvelope, at: Date, source: Accepted["source"]): Promise<Accepted> {
    const bundle = this.#options.trust();
    if (bundle === undefined) throw new RefusedBundle("unknown-signer", "the agent has no trust anchors");
    const opened = await openDocument(envelope, "bundle", { bundle, at });
    if (!opened.ok) throw new RefusedBundle(opened.reason, opened.detail);
    const manifest = readManifest(opened.content);
    if (manifest.trustDomain !== bundle.trustDomain) {
      throw new RefusedBundle("other-trust-domain", `it is of trust domain \`${manifest.trustDomain}\``);
    }
    const { trustDomain } = bundle;
    return { manifest, trustDomain, digest: createHash("sha256").update(opened.payload).digest("hex"), source };
  }

  /** Loads the shards, compiles and swaps. INVARIANT: nothing has changed where this throws. */
  async #use(candidate: Accepted): Promise<void> {
    const { manifest, source } = candidate;
    const destinations = this.#destinations;
    const wanted = destinations.filter((destination) => Object.hasOwn(manifest.shards, destination));
    const read = await this.#shards.read(wanted, manifest, source);
    const bundle: PolicyInForce = {
      epoch: manifest.epoch,
      revision: manifest.revision,
      issuedAt: new Date(manifest.issuedAt),
      expiresAt: new Date(manifest.expiresAt),
      destinations: wanted,
      source,
    };
    try {
      this.#options.state.use(setOf(read, wanted, candidate.trustDomain), bundle);
    } catch (error) {
      if (error instanceof RefusedBundle) throw error;
      throw new RefusedBundle("unreadable", messageOf(error));
    }
    this.#accepted = candidate;
    this.#inForceFor = keyOf(destinations);
  }

  async #refusable(run: () => Promise<Intake>): Promise<Intake> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof RefusedBundle)) throw error;
      return {
        kind: "refused",
        refusal: { reason: error.reason, detail: error.message, at: this.#options.clock.now() },
      };
    }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(run, run);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function keyOf(destinations: readonly string[]): string {
  return destinations.join("\n");
}

function readManifest(content: unknown): BundleManifest {
  const format = formatOf(content);
  const reader = READERS.get(format);
  if (reader === undefined) {
    throw new RefusedBundle(
      "unsupported-format",
      `its format is \`${format}\`, this agent reads ${[...READERS.keys()].join(", ")}`,
    );
  }
  const read = reader.safeParse(content);
  if (!read.success) throw new RefusedBundle("unreadable", read.error.issues[0]?.message ?? "not a manifest");
  return read.data;
}

type Order = "newer" | "older" | "same" | "conflict";

function compareOrder(candidate: Accepted, accepted: Accepted | undefined): Order {
  if (accepted === undefined) return "newer";
  const epochs = candidate.manifest.epoch - accepted.manifest.epoch;
  const difference = epochs === 0 ? candidate.manifest.revision - accepted.manifest.revision : epochs;
  if (difference !== 0) return difference > 0 ? "newer" : "older";
  return candidate.digest === accepted.digest ? "same" : "conflict";
}

function refusedOrder(order: Order, candidate: Accepted, accepted: Accepted | undefined): RefusedBundle {
  const offered = `(${candidate.manifest.epoch}, ${candidate.manifest.revision})`;
  const inForce = `(${accepted?.manifest.epoch}, ${accepted?.manifest.revision})`;
  return order === "conflict"
    ? new RefusedBundle("revision-conflict", `${offered} is in force with another content`)
    : new RefusedBundle("older-revision", `${offered} is older than ${inForce}, which is in force`);
}
