import type { Server } from "@grpc/grpc-js";
import { addSecretDiscovery, type EdgeCertificate, SecretDiscovery } from "../envoy/index.ts";
import { type PolicySet, serverFirstCallers } from "../policies/index.ts";
import type { SpiffeId, TrustBundle, X509Svid } from "../spiffe/index.ts";
import { messageOf } from "./agent-error.ts";
import type { SecretEvent } from "./metrics.ts";
import { trustHash } from "./trust-hash.ts";
import type { TrustState, WorkloadIdentity } from "./workload-identity.ts";

/** What one sidecar's secrets are made of. */
export interface SidecarSecretsOptions {
  readonly destination: SpiffeId;
  readonly serverFirstPorts: readonly number[];
  readonly identity: WorkloadIdentity;
  readonly trust: () => TrustState | undefined;
  /** The set in force; undefined while nothing may be decided by it (no bundle, or a stale one). */
  readonly policy: () => PolicySet | undefined;
  /** Certificates of public listeners, by port; none without it. */
  readonly edges?: () => ReadonlyMap<number, EdgeCertificate>;
  readonly isRevoked: (identity: string) => boolean;
  readonly now: () => Date;
  readonly event: (event: SecretEvent) => void;
  readonly problem: (message: string) => void;
}

/** How far the sidecar's secrets are. */
export interface SidecarSecretsStatus {
  /** Streams of secrets that a sidecar holds open; 0 means that no sidecar is connected. */
  readonly subscribed: number;
  readonly acknowledged: number;
  /** What the sidecar said of secrets that it rejected; foreign text. */
  readonly rejected: readonly { readonly name: string; readonly reason: string }[];
  /** Names the own trust bundle (`trustHash`) that is in force in every validation context; absent before the first. */
  readonly confirmed?: string;
  /** Serial of the certificate that it has in force. */
  readonly serial?: string;
  /** Why the newest secrets could not be offered to the sidecar, which keeps the ones before. */
  readonly problem?: string;
}

/** Keeps one sidecar's secrets: certificate and trust bundles, and who may open its server-first ports. */
export class SidecarSecrets {
  readonly #options: SidecarSecretsOptions;
  readonly #discovery: SecretDiscovery;
  readonly #stop: () => void;
  #seen = new Map<string, "acknowledged" | "rejected">();
  #problem: string | undefined;
  /** What was offered last, and what of it is in force. */
  #offered: { readonly own: TrustBundle | undefined; readonly svid: X509Svid | undefined } | undefined;
  #confirmed: string | undefined;
  #serial: string | undefined;

  constructor(options: SidecarSecretsOptions) {
    this.#options = options;
    this.#discovery = new SecretDiscovery({ clock: options.now, listener: () => this.#count() });
    this.#stop = options.identity.subscribe(() => this.refresh());
    this.refresh();
  }

  addTo(server: Server): void {
    addSecretDiscovery(server, this.#discovery);
  }

  /** Offers what is now in force; the discovery sends only what changed. */
  refresh(): void {
    const { identity, event, problem } = this.#options;
    const state = identity.state;
    const svid = state.kind === "present" ? state.svid : undefined;
    const trustBundles = this.#bundles();
    try {
      this.#discovery.setSecrets({
        svid,
        trustBundles,
        serverFirst: this.#serverFirst(),
        edges: this.#options.edges?.() ?? new Map(),
      });
      this.#offered = { own: trustBundles[0], svid };
      this.#settle();
      this.#problem = undefined;
      event("push");
    } catch (error) {
      this.#problem = messageOf(error);
      problem(this.#problem);
    }
  }

  status(): SidecarSecretsStatus {
    const secrets = this.#discovery.status();
    return {
      subscribed: secrets.length,
      acknowledged: secrets.filter((secret) => secret.acknowledged).length,
      rejected: secrets.flatMap(({ name, nacked }) => (nacked === undefined ? [] : [{ name, reason: nacked }])),
      ...(this.#confirmed === undefined ? {} : { confirmed: this.#confirmed }),
      ...(this.#serial === undefined ? {} : { serial: this.#serial }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  close(): void {
    this.#stop();
  }

  /** The own trust domain first. */
  #bundles(): readonly TrustBundle[] {
    const trust = this.#options.trust();
    const own = trust?.bundles.get(trust.trustDomain);
    if (trust === undefined || own === undefined) return [];
    return [own, ...[...trust.bundles.values()].filter((bundle) => bundle !== own)];
  }

  /**
   * SECURITY: on these ports the TLS handshake is the whole decision, so what a check would deny is left out here: everybody without a
   * policy or with a stale one, and revoked identities.
   */
  #serverFirst(): ReadonlyMap<number, readonly string[]> {
    const { destination, isRevoked, policy, serverFirstPorts } = this.#options;
    const set = policy();
    const callersOf = (port: number): readonly string[] =>
      set === undefined
        ? []
        : serverFirstCallers(set, destination.toString(), port).filter((caller) => !isRevoked(caller));
    return new Map(serverFirstPorts.map((port) => [port, callersOf(port)]));
  }

  /** INVARIANT: a sidecar counts as having what was offered only once it has acknowledged all of that kind. */
  #settle(): void {
    const sent = this.#discovery.status().filter(({ version }) => version !== undefined);
    const leaf = this.#options.destination.toString();
    const leaves = sent.filter(({ name }) => name === "default" || name === leaf);
    const trust = sent.filter((secret) => !leaves.includes(secret));
    const all = (secrets: typeof sent): boolean =>
      secrets.length > 0 && secrets.every(({ acknowledged }) => acknowledged);
    const own = this.#offered?.own;
    if (all(trust) && own !== undefined) this.#confirmed = trustHash(own);
    if (all(leaves)) this.#serial = this.#offered?.svid?.serial;
  }

  #count(): void {
    this.#settle();
    const seen = new Map<string, "acknowledged" | "rejected">();
    for (const { node, name, version, acknowledged, nacked } of this.#discovery.status()) {
      const state = nacked !== undefined ? "rejected" : acknowledged ? "acknowledged" : undefined;
      if (state === undefined) continue;
      const key = JSON.stringify([node, name, version]);
      seen.set(key, state);
      if (this.#seen.get(key) !== state) this.#options.event(state === "rejected" ? "nack" : "ack");
    }
    this.#seen = seen;
  }
}
