import { createHash, randomBytes } from "node:crypto";
import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
  DiscoveryResponse,
} from "../gen/envoy/service/discovery/v3/discovery.ts";
import { type DeltaSecretSink, DeltaSecretStream } from "./delta-secret-stream.ts";
import { Recoveries, type Recovery } from "./recoveries.ts";
import type { SecretChannel, SubscribedSecret, Verdict } from "./secret-channel.ts";
import { checkServerFirst, checkSnapshot, type SecretSnapshot } from "./secret-snapshot.ts";
import { discoveryResponse, type SecretSink, SecretStream } from "./secret-stream.ts";
import { holdsKey, type SecretSource, secretsOf, trustNobody } from "./secrets.ts";

/** One subscribed name of one stream. */
export interface SecretStatus {
  /** Node id that the sidecar gave. */
  readonly node: string;
  readonly name: string;
  /** Version sent last; absent where there is nothing to send under that name yet. */
  readonly version?: string;
  /** The sidecar took that version, and rejected nothing that could make it untrue. */
  readonly acknowledged: boolean;
  /** Why the sidecar rejected it; foreign text. */
  readonly nacked?: string;
}

/** What a `SecretDiscovery` takes. */
export interface SecretDiscoveryOptions {
  readonly clock: () => Date;
  /** 8 bytes of hex, another one for each instance. */
  readonly random?: () => string;
  /** Called after each acknowledgement, rejection, opening and end of a stream. */
  readonly listener?: () => void;
}

/** A stream in service. */
export interface OpenSecretStream<Request = DiscoveryRequest> {
  receive(request: Request): void;
  close(): void;
}

const NOT_SENT: SubscribedSecret = { acknowledged: false };

type Opened = Extract<Verdict, { kind: "opened" }>;
interface Receiver<Request> {
  receive(request: Request, everyName: readonly string[]): Verdict;
}

/**
 * The secret discovery service of one workload's sidecar (`envoy.service.secret.v3`): state of the world, delta and fetch.
 *
 * Only what changed is sent; unknown names stay open; trust that is gone is replaced by an anchor that admits nobody.
 *
 * SECURITY: after a sidecar rejects one secret, it also rejects good ones that meet the bad one in some listener or
 * cluster. When the bad one is mended it acknowledges, but only the first of several such places takes over what was
 * rejected in between, and a rejected secret that is sent again byte for byte is acknowledged and changes nothing. So
 * after a rejection, the next acknowledgement starts a replay: every secret again, with bytes that are new.
 */
export class SecretDiscovery {
  readonly #options: SecretDiscoveryOptions;
  readonly #instance: string;
  readonly #streams = new Set<SecretChannel>();
  readonly #recoveries = new Recoveries();
  #snapshot: SecretSnapshot = { svid: undefined, trustBundles: [], serverFirst: new Map() };
  #secrets: ReadonlyMap<string, SecretSource> = new Map();
  #opened = 0;

  constructor(options: SecretDiscoveryOptions) {
    this.#options = options;
    this.#instance = (options.random ?? (() => randomBytes(8).toString("hex")))();
  }

  /**
   * Replaces all secrets. Throws `EnvoyError` `ERR_ENVOY_SECRETS` where the snapshot is not sound, and keeps certificate
   * and trust bundles as they were.
   *
   * SECURITY: who may open server-first ports is taken over all the same. A certificate that cannot be renewed must not
   * keep a revoked caller in.
   */
  setSecrets(snapshot: SecretSnapshot): void {
    checkServerFirst(snapshot.serverFirst);
    try {
      checkSnapshot(snapshot, this.#options.clock());
    } catch (error) {
      this.#replace({ ...this.#snapshot, serverFirst: snapshot.serverFirst });
      throw error;
    }
    this.#replace(snapshot);
  }

  #replace(snapshot: SecretSnapshot): void {
    this.#snapshot = snapshot;
    const next = new Map(secretsOf(snapshot));
    for (const name of this.#secrets.keys()) {
      if (!next.has(name) && !holdsKey(name)) next.set(name, trustNobody(name));
    }
    this.#secrets = next;
    this.#recoveries.renew();
    for (const stream of this.#streams) this.#sendChanged(stream);
  }

  /** Takes a new stream into service. */
  open(sink: SecretSink): OpenSecretStream {
    return this.#serve(new SecretStream(sink, this.#nextPrefix()));
  }

  /** Takes a new incremental stream into service. */
  openDelta(sink: DeltaSecretSink): OpenSecretStream<DeltaDiscoveryRequest> {
    return this.#serve(new DeltaSecretStream(sink, this.#nextPrefix()));
  }

  #nextPrefix(): string {
    this.#opened += 1;
    return `${this.#instance}.${this.#opened}`;
  }

  #serve<Request>(stream: SecretChannel & Receiver<Request>): OpenSecretStream<Request> {
    this.#streams.add(stream);
    return {
      receive: (request) => this.#take(stream, stream.receive(request, [...this.#secrets.keys()])),
      close: () => this.#close(stream),
    };
  }

  /** Answers `FetchSecrets`: the secrets named, or all; unknown names are left out. */
  fetch(request: DiscoveryRequest): DiscoveryResponse {
    const names = request.resourceNames.length === 0 ? [...this.#secrets.keys()] : new Set(request.resourceNames);
    const secrets = [...names].flatMap((name) => this.#secrets.get(name)?.("") ?? []);
    const hash = createHash("sha256");
    for (const secret of secrets) hash.update(`${secret.name}\0${secret.version}\n`);
    return discoveryResponse(secrets, hash.digest("hex").slice(0, 32), "");
  }

  /** Every subscribed name of every stream. */
  status(): readonly SecretStatus[] {
    return [...this.#streams].flatMap((stream) => {
      const clean = this.#recoveries.get(stream.node)?.poisoned !== true;
      return [...stream.names].map(([name, { sent, acknowledged, rejection }]) => ({
        node: stream.node,
        name,
        ...(sent === undefined ? {} : { version: sent }),
        acknowledged: acknowledged && clean,
        ...(rejection === undefined ? {} : { nacked: rejection }),
      }));
    });
  }

  #take(stream: SecretChannel, verdict: Verdict): void {
    switch (verdict.kind) {
      case "ignored":
        return;
      case "opened":
        this.#welcome(stream, verdict.known);
        break;
      case "repeated":
        this.#sendAll(stream);
        break;
      case "rejected":
        this.#poison(stream.node);
        this.#sendNew(stream);
        break;
      case "acknowledged":
        this.#sendNew(stream);
        this.#recover(stream.node);
        break;
    }
    this.#options.listener?.();
  }

  #close(stream: SecretChannel): void {
    if (this.#streams.delete(stream)) this.#options.listener?.();
  }

  /**
   * Sends what a new stream asks for. A sidecar that comes with another version may have rejected the one that is
   * current, from an agent that is no more, so it gets new bytes.
   */
  #welcome(stream: SecretChannel, known: Opened["known"]): void {
    const versionOf = (name: string): string | undefined => this.#secretFor(stream.node, name)?.version;
    if (!known(versionOf)) this.#recoveryOf(stream.node).edition += 1;
    else if (stream instanceof DeltaSecretStream && this.#recoveries.get(stream.node) === undefined)
      stream.keepKnown(versionOf);
    this.#sendNew(stream);
  }

  #sendAll(stream: SecretChannel): void {
    for (const name of [...stream.names.keys()]) this.#send(stream, name);
  }

  #sendNew(stream: SecretChannel): void {
    for (const [name, { sent }] of [...stream.names]) if (sent === undefined) this.#send(stream, name);
  }

  #sendChanged(stream: SecretChannel): void {
    // In the order of the secrets: validation contexts before the leaf.
    for (const name of this.#secrets.keys()) {
      const subscribed = stream.names.get(name) ?? (stream.everything ? NOT_SENT : undefined);
      if (subscribed !== undefined && subscribed.sent !== this.#secretFor(stream.node, name)?.version) {
        this.#send(stream, name);
      }
    }
  }

  #send(stream: SecretChannel, name: string): void {
    const secret = this.#secretFor(stream.node, name);
    if (secret !== undefined) stream.send(secret);
  }

  #secretFor(node: string, name: string) {
    const edition = this.#recoveries.get(node)?.edition ?? 0;
    return this.#secrets.get(name)?.(edition === 0 ? "" : `${this.#instance}.${edition}`);
  }

  #poison(node: string): void {
    const recovery = this.#recoveryOf(node);
    recovery.poisoned = true;
    recovery.replaying = false;
  }

  /** INVARIANT: few replays between two changes, so a sidecar that never agrees starts no loop. */
  #recover(node: string): void {
    const recovery = this.#recoveries.get(node);
    if (recovery === undefined || !recovery.poisoned) return;
    const streams = [...this.#streams].filter((stream) => stream.node === node);
    if (recovery.replaying) {
      if (streams.every((stream) => stream.settled)) {
        recovery.poisoned = false;
        recovery.replaying = false;
      }
    } else if (recovery.replaysLeft > 0) {
      recovery.replaying = true;
      recovery.replaysLeft -= 1;
      recovery.edition += 1;
      for (const stream of streams) this.#sendAll(stream);
    }
  }

  #recoveryOf(node: string): Recovery {
    return this.#recoveries.of(node, () => new Set([...this.#streams].map((stream) => stream.node)));
  }
}
