import type { DiscoveryRequest, DiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretChannel, type Verdict } from "./secret-channel.ts";
import { SECRET_TYPE_URL, type SecretResource } from "./secrets.ts";

/** Where a stream's responses go. */
export interface SecretSink {
  send(response: DiscoveryResponse): void;
}

/** The state of one `StreamSecrets` call (xDS protocol, state of the world). */
export class SecretStream extends SecretChannel {
  readonly #sink: SecretSink;
  #opened = false;

  constructor(sink: SecretSink, prefix: string) {
    super(prefix);
    this.#sink = sink;
  }

  /** Takes a request into the state; the names that it adds are not sent yet. */
  receive(request: DiscoveryRequest, everyName: readonly string[]): Verdict {
    if (request.typeUrl !== "" && request.typeUrl !== SECRET_TYPE_URL) return { kind: "ignored" };
    if (!this.#opened) return this.#open(request, everyName);
    const verdict = this.settle(request.responseNonce, request.errorDetail);
    if (request.responseNonce !== this.lastNonce) return verdict ?? { kind: "ignored" };
    const before = this.names.size;
    const added = this.#subscribe(request.resourceNames);
    return verdict ?? { kind: added || this.names.size !== before ? "acknowledged" : "repeated" };
  }

  protected override transmit(secret: SecretResource, nonce: string): void {
    this.#sink.send(discoveryResponse([secret], secret.version, nonce));
  }

  #open(request: DiscoveryRequest, everyName: readonly string[]): Verdict {
    this.#opened = true;
    this.node = request.node?.id ?? "";
    // Names that were never set mean every secret; a nonce here is of an earlier stream.
    this.everything = request.resourceNames.length === 0;
    this.#subscribe(this.everything ? everyName : request.resourceNames);
    const { versionInfo } = request;
    const known = (versionOf: (name: string) => string | undefined): boolean =>
      versionInfo === "" || [...this.names.keys()].some((name) => versionOf(name) === versionInfo);
    return { kind: "opened", known };
  }

  /** Makes `names` the subscription; true where one is new. An empty list takes all away, unless there never was one. */
  #subscribe(names: readonly string[]): boolean {
    if (this.everything && names.length === 0) return false;
    const wanted = new Set(names);
    for (const name of this.names.keys()) if (!wanted.has(name)) this.names.delete(name);
    return [...wanted].filter((name) => this.add(name)).length > 0;
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
