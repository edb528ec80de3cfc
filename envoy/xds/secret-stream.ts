import type { DiscoveryRequest, DiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SECRET_TYPE_URL, type SecretResource } from "./secrets.ts";

/** Where a stream's responses go. */
export interface SecretSink {
  send(response: DiscoveryResponse): void;
}

/** What the sidecar said of a response. */
export type Verdict =
  | { readonly kind: "opened"; readonly version: string }
  | { readonly kind: "acknowledged" }
  | { readonly kind: "rejected"; readonly message: string }
  /** Asked again with nothing outstanding: a new part of its configuration wants what it already has. */
  | { readonly kind: "repeated" }
  /** Of another stream or resource type, or superseded. */
  | { readonly kind: "ignored" };

/** One name on one stream. */
export interface SubscribedSecret {
  /** Version sent last; absent while the name has nothing to send. */
  sent?: string;
  acknowledged: boolean;
  /** Why the sidecar rejected the version sent last. */
  rejection?: string;
}

const MAX_OUTSTANDING = 64;
const MAX_NAMES = 256;
const MAX_MESSAGE_CHARS = 1024;

/** The state of one `StreamSecrets` call (xDS protocol, state of the world): names, nonces, and what was acknowledged. */
export class SecretStream {
  /** Node id of the first request, empty until it came. */
  node = "";
  readonly names = new Map<string, SubscribedSecret>();
  readonly #sink: SecretSink;
  readonly #prefix: string;
  readonly #outstanding = new Map<string, { readonly name: string; readonly version: string }>();
  #opened = false;
  #count = 0;
  #lastNonce = "";

  constructor(sink: SecretSink, prefix: string) {
    this.#sink = sink;
    this.#prefix = prefix;
  }

  /** Takes a request into the state; the names that it adds are not sent yet. */
  receive(request: DiscoveryRequest, everyName: readonly string[]): Verdict {
    if (request.typeUrl !== "" && request.typeUrl !== SECRET_TYPE_URL) return { kind: "ignored" };
    if (!this.#opened) return this.#open(request, everyName);
    const nonce = request.responseNonce;
    const answered = this.#outstanding.get(nonce);
    this.#outstanding.delete(nonce);
    const verdict = answered === undefined ? undefined : this.#settle(answered, request);
    if (nonce !== this.#lastNonce) return verdict ?? { kind: "ignored" };
    const before = this.names.size;
    const added = this.#subscribe(request.resourceNames);
    return verdict ?? { kind: added || this.names.size !== before ? "acknowledged" : "repeated" };
  }

  /** Sends one secret in a response of its own, so that a rejection names what was rejected. */
  send(secret: SecretResource): void {
    this.#count += 1;
    this.#lastNonce = `${this.#prefix}.${this.#count}`;
    this.names.set(secret.name, { sent: secret.version, acknowledged: false });
    this.#outstanding.set(this.#lastNonce, { name: secret.name, version: secret.version });
    const [oldest] = this.#outstanding.keys();
    if (this.#outstanding.size > MAX_OUTSTANDING && oldest !== undefined) this.#outstanding.delete(oldest);
    this.#sink.send(discoveryResponse([secret], secret.version, this.#lastNonce));
  }

  /** Whether every response was answered and every secret sent was acknowledged. */
  get settled(): boolean {
    if (this.#outstanding.size > 0) return false;
    for (const secret of this.names.values()) if (secret.sent !== undefined && !secret.acknowledged) return false;
    return true;
  }

  #open(request: DiscoveryRequest, everyName: readonly string[]): Verdict {
    this.#opened = true;
    this.node = request.node?.id ?? "";
    // Names that were never set mean every secret; a nonce here is of an earlier stream.
    this.#subscribe(request.resourceNames.length === 0 ? everyName : request.resourceNames);
    return { kind: "opened", version: request.versionInfo };
  }

  #settle(answered: { readonly name: string; readonly version: string }, request: DiscoveryRequest): Verdict {
    const secret = this.names.get(answered.name);
    const current = secret?.sent === answered.version;
    // A rejection is told by its error alone: the version in it may be any.
    if (request.errorDetail !== undefined) {
      const message = request.errorDetail.message.slice(0, MAX_MESSAGE_CHARS);
      if (secret !== undefined && current) secret.rejection = message;
      return { kind: "rejected", message };
    }
    if (secret !== undefined && current) {
      secret.acknowledged = true;
      delete secret.rejection;
    }
    return { kind: "acknowledged" };
  }

  /** Makes `names` the subscription; true where one is new. An empty list takes all away. */
  #subscribe(names: readonly string[]): boolean {
    const wanted = new Set(names.slice(0, MAX_NAMES));
    for (const name of this.names.keys()) if (!wanted.has(name)) this.names.delete(name);
    let added = false;
    for (const name of wanted) {
      if (this.names.has(name)) continue;
      this.names.set(name, { acknowledged: false });
      added = true;
    }
    return added;
  }
}

/** A response with these secrets. */
export function discoveryResponse(
  secrets: readonly SecretResource[],
  versionInfo: string,
  nonce: string,
): DiscoveryResponse {
  const resources = secrets.map(({ bytes }) => ({ typeUrl: SECRET_TYPE_URL, value: bytes }));
  return { versionInfo, resources, canary: false, typeUrl: SECRET_TYPE_URL, nonce, controlPlane: undefined };
}
