import { formatTrustBundle, parseTrustBundle, type TrustBundle, type TrustDomain } from "../../spiffe/index.ts";
import type { ExternalTrustStatus } from "../agent-status.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { type FollowBundle, followBundle } from "./bundle-follower.ts";
import { type BundleLocation, checked, locationText, type ReadBundle, sameBundle } from "./external-bundle.ts";
import type { StateDir } from "./state-dir.ts";
import type { Timers } from "./timers.ts";
import type { TrustStore } from "./trust-store.ts";

/** What following another authority's bundle needs. */
export interface ExternalTrustOptions {
  readonly files: StateDir;
  readonly clock: MonotonicClock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly trust: TrustStore;
  /** Called after each change of whom the sidecars believe. */
  readonly changed: () => void;
  /** Replaces files, URLs and sockets in tests. */
  readonly follow?: FollowBundle;
}

const FILE = "external-bundle.json";

/**
 * The trust bundle of SPIRE, Istio or another authority that issues the workloads' certificates. The authority of Cellwall goes on
 * vouching for itself, for agents and for signed documents, and for nothing else. The last good bundle stays in force, over restarts
 * too, where a new one cannot be had or read.
 */
export class ExternalTrust {
  readonly #options: ExternalTrustOptions;
  #location: BundleLocation | undefined;
  #bundle: TrustBundle | undefined;
  #updatedAt: Date | undefined;
  #readAt: Date | undefined;
  #problem: string | undefined;
  #following = new AbortController();

  constructor(options: ExternalTrustOptions) {
    this.#options = options;
  }

  /** Why this agent obtains no certificates of workloads; undefined where it does. */
  get elsewhere(): string | undefined {
    return this.#location === undefined ? undefined : "another authority issues the workloads' certificates";
  }

  /** Takes where the bundle is; undefined where Cellwall's own authority issues. The same place again is no change. */
  use(location: BundleLocation | undefined): void {
    if (JSON.stringify(location) === JSON.stringify(this.#location)) return;
    this.#following.abort();
    this.#following = new AbortController();
    this.#location = location;
    this.#bundle = location === undefined ? undefined : this.#kept(location);
    this.#updatedAt = undefined;
    this.#readAt = undefined;
    this.#problem = undefined;
    this.#publish();
    if (location !== undefined) this.#follow(location);
  }

  /** Undefined where Cellwall's own authority issues. */
  status(): ExternalTrustStatus | undefined {
    if (this.#location === undefined) return undefined;
    return {
      source: locationText(this.#location),
      authorities: this.#bundle?.x509Authorities.length ?? 0,
      ...(this.#updatedAt === undefined ? {} : { updatedAt: this.#updatedAt.toISOString() }),
      ...(this.#readAt === undefined ? {} : { readAt: this.#readAt.toISOString() }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  close(): void {
    this.#following.abort();
  }

  #follow(location: BundleLocation): void {
    const { timers } = this.#options;
    const { signal } = this.#following;
    const follow = this.#options.follow ?? followBundle;
    follow(location, {
      trustDomain: () => this.#trustDomain(),
      read: (read) => {
        if (!signal.aborted) this.#take(location, read);
      },
      timers,
      signal,
    });
  }

  #trustDomain(): TrustDomain | undefined {
    return this.#options.trust.state?.trustDomain;
  }

  #take(location: BundleLocation, read: ReadBundle): void {
    const { clock, files, log } = this.#options;
    const source = locationText(location);
    if (!read.ok) {
      const meanwhile = this.#bundle === undefined ? "until it is, sidecars believe nobody" : "the last one stays";
      if (read.why !== this.#problem)
        log.error({ source, error: read.why }, `the trust bundle of the workloads' issuer cannot be had; ${meanwhile}`);
      this.#problem = read.why;
      return;
    }
    this.#problem = undefined;
    this.#readAt = clock.now();
    if (sameBundle(read.bundle, this.#bundle)) {
      this.#updatedAt ??= clock.now();
      return;
    }
    this.#bundle = read.bundle;
    this.#updatedAt = clock.now();
    files.writeJson(FILE, { location, bundle: formatTrustBundle(read.bundle) });
    log.info(
      { source, authorities: read.bundle.x509Authorities.length },
      "the trust bundle of the workloads' issuer has changed",
    );
    this.#publish();
  }

  /** What an earlier run had from the same place. */
  #kept(location: BundleLocation): TrustBundle | undefined {
    const trustDomain = this.#trustDomain();
    const stored = this.#options.files.readJson(FILE);
    if (trustDomain === undefined || typeof stored !== "object" || stored === null) return undefined;
    if (!("location" in stored) || JSON.stringify(stored.location) !== JSON.stringify(location)) return undefined;
    if (!("bundle" in stored) || typeof stored.bundle !== "string") return undefined;
    try {
      const read = checked(parseTrustBundle(trustDomain, stored.bundle));
      return read.ok ? read.bundle : undefined;
    } catch {
      return undefined;
    }
  }

  #publish(): void {
    this.#options.trust.setExternal(this.#location === undefined ? undefined : { bundle: this.#bundle });
    this.#options.changed();
  }
}
