import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  Resource,
} from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretChannel, type Verdict } from "./secret-channel.ts";
import { SECRET_TYPE_URL, type SecretResource } from "./secrets.ts";

/** Where a delta stream's responses go. */
export interface DeltaSecretSink {
  send(response: DeltaDiscoveryResponse): void;
}

const EVERYTHING = "*";

/**
 * The state of one `DeltaSecrets` call (xDS protocol, incremental).
 *
 * SECURITY: no removal is ever sent: a sidecar acknowledges it and keeps its trust. What is gone is replaced instead.
 */
export class DeltaSecretStream extends SecretChannel {
  readonly #sink: DeltaSecretSink;
  #opened = false;
  #initial: ReadonlyMap<string, string> = new Map();

  constructor(sink: DeltaSecretSink, prefix: string) {
    super(prefix);
    this.#sink = sink;
  }

  /** Takes a request into the state; the names that it adds, or asks for again, are not sent yet. */
  receive(request: DeltaDiscoveryRequest, everyName: readonly string[]): Verdict {
    if (request.typeUrl !== "" && request.typeUrl !== SECRET_TYPE_URL) return { kind: "ignored" };
    if (!this.#opened) return this.#open(request, everyName);
    const verdict = this.settle(request.responseNonce, request.errorDetail);
    // Subscriptions change whatever the nonce is, or where there is none.
    for (const name of request.resourceNamesUnsubscribe) this.#remove(name);
    for (const name of request.resourceNamesSubscribe) this.#subscribe(name, everyName);
    if (verdict !== undefined) return verdict;
    return { kind: request.resourceNamesSubscribe.length > 0 ? "acknowledged" : "ignored" };
  }

  /**
   * Takes what the sidecar brought from before as sent and acknowledged, where it is what is current. Once, and only for a
   * node without a rejection on record.
   */
  keepKnown(versionOf: (name: string) => string | undefined): void {
    for (const [name, secret] of this.names) {
      const brought = this.#initial.get(name);
      if (brought === undefined || brought !== versionOf(name)) continue;
      secret.sent = brought;
      secret.acknowledged = true;
    }
    this.#initial = new Map();
  }

  protected override transmit(secret: SecretResource, nonce: string): void {
    const { bytes: value, name, version } = secret;
    const resource = Resource.fromPartial({ name, version, resource: { typeUrl: SECRET_TYPE_URL, value } });
    const response = { systemVersionInfo: version, resources: [resource], typeUrl: SECRET_TYPE_URL, nonce };
    this.#sink.send(DeltaDiscoveryResponse.fromPartial(response));
  }

  #open(request: DeltaDiscoveryRequest, everyName: readonly string[]): Verdict {
    this.#opened = true;
    this.node = request.node?.id ?? "";
    this.#initial = request.initialResourceVersions;
    const names = request.resourceNamesSubscribe;
    // A first request that names nothing means every secret.
    for (const name of names.length === 0 ? [EVERYTHING] : names) this.#subscribe(name, everyName);
    const brought = [...this.#initial];
    const known = (versionOf: (name: string) => string | undefined): boolean =>
      brought.every(([name, version]) => !this.names.has(name) || versionOf(name) === version);
    return { kind: "opened", known };
  }

  #subscribe(name: string, everyName: readonly string[]): void {
    if (name === EVERYTHING) {
      this.everything = true;
      for (const one of everyName) this.add(one);
      return;
    }
    // Asked for again: a new part of the sidecar's configuration wants what it already has.
    const known = this.names.get(name);
    if (known === undefined) this.add(name);
    else delete known.sent;
  }

  #remove(name: string): void {
    if (name !== EVERYTHING) {
      this.names.delete(name);
      return;
    }
    this.everything = false;
  }
}
