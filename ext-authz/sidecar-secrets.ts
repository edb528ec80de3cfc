import type { Server } from "@grpc/grpc-js";
import { addSecretDiscovery, SecretDiscovery } from "../envoy/index.ts";
import { type PolicySet, serverFirstCallers } from "../policies/index.ts";
import type { SpiffeId, TrustBundle } from "../spiffe/index.ts";
import { messageOf } from "./agent-error.ts";
import type { SecretEvent } from "./metrics.ts";
import type { TrustState, WorkloadIdentity } from "./workload-identity.ts";

/** What one sidecar's secrets are made of. */
export interface SidecarSecretsOptions {
  readonly destination: SpiffeId;
  readonly serverFirstPorts: readonly number[];
  readonly identity: WorkloadIdentity;
  readonly trust: () => TrustState | undefined;
  /** The set in force; undefined while nothing may be decided by it (no bundle, or a stale one). */
  readonly policy: () => PolicySet | undefined;
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
    try {
      this.#discovery.setSecrets({
        svid: state.kind === "present" ? state.svid : undefined,
        trustBundles: this.#bundles(),
        serverFirst: this.#serverFirst(),
      });
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

  #count(): void {
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
