import type { SecretResource } from "./secrets.ts";

/** What the sidecar said of a response. */
export type Verdict =
  /** `known`: whether it comes with nothing, or with what is current. */
  | { readonly kind: "opened"; readonly known: (versionOf: (name: string) => string | undefined) => boolean }
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

/** What both forms of a secret stream share: names, nonces, and what was acknowledged. */
export abstract class SecretChannel {
  /** Node id of the first request, empty until it came. */
  node = "";
  /** Whether every secret is meant, those that are yet to come too. */
  everything = false;
  readonly names = new Map<string, SubscribedSecret>();
  protected lastNonce = "";
  readonly #prefix: string;
  readonly #outstanding = new Map<string, { readonly name: string; readonly version: string }>();
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Puts one secret on the wire. */
  protected abstract transmit(secret: SecretResource, nonce: string): void;

  /** Sends one secret in a response of its own, so that a rejection names what was rejected. */
  send(secret: SecretResource): void {
    this.#count += 1;
    this.lastNonce = `${this.#prefix}.${this.#count}`;
    this.names.set(secret.name, { sent: secret.version, acknowledged: false });
    this.#outstanding.set(this.lastNonce, { name: secret.name, version: secret.version });
    const [oldest] = this.#outstanding.keys();
    if (this.#outstanding.size > MAX_OUTSTANDING && oldest !== undefined) this.#outstanding.delete(oldest);
    this.transmit(secret, this.lastNonce);
  }

  /** Whether every response was answered and every secret sent was acknowledged. */
  get settled(): boolean {
    if (this.#outstanding.size > 0) return false;
    for (const secret of this.names.values()) if (secret.sent !== undefined && !secret.acknowledged) return false;
    return true;
  }

  /** Subscribes to a name; true where it is new. */
  protected add(name: string): boolean {
    if (this.names.has(name) || this.names.size >= MAX_NAMES) return false;
    this.names.set(name, { acknowledged: false });
    return true;
  }

  /** Takes an answer to a response into the record; undefined where the nonce is none that waits for one. */
  protected settle(nonce: string, error: { readonly message: string } | undefined): Verdict | undefined {
    const answered = this.#outstanding.get(nonce);
    if (answered === undefined) return undefined;
    this.#outstanding.delete(nonce);
    const secret = this.names.get(answered.name);
    const current = secret?.sent === answered.version;
    // A rejection is told by its error alone: the version beside it may be any.
    if (error !== undefined) {
      const message = error.message.slice(0, MAX_MESSAGE_CHARS);
      if (secret !== undefined && current) secret.rejection = message;
      return { kind: "rejected", message };
    }
    if (secret !== undefined && current) {
      secret.acknowledged = true;
      delete secret.rejection;
    }
    return { kind: "acknowledged" };
  }
}
