import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { DeltaDiscoveryRequest, type DeltaDiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService as SDS } from "../gen/envoy/service/secret/v3/sds.ts";
import { SECRET_TYPE_URL } from "../xds/secrets.ts";
import { eventually, nodeOf } from "./sds-client.ts";

/** What a delta request of Envoy's may say besides the defaults. */
export type DeltaSaid = Partial<
  Pick<
    DeltaDiscoveryRequest,
    | "node"
    | "typeUrl"
    | "responseNonce"
    | "errorDetail"
    | "resourceNamesSubscribe"
    | "resourceNamesUnsubscribe"
    | "initialResourceVersions"
  >
>;

/** One `DeltaSecrets` call, with Envoy's part played by the test. */
export class DeltaSdsStream {
  readonly responses: DeltaDiscoveryResponse[] = [];
  readonly #call: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
  #read = 0;

  constructor(client: Client, names: readonly string[], first: DeltaSaid = {}) {
    const { path, requestSerialize, responseDeserialize } = SDS.deltaSecrets;
    this.#call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#call.on("data", (response: DeltaDiscoveryResponse) => this.responses.push(response));
    this.#call.on("error", () => undefined);
    this.say({ node: nodeOf("shop/orders"), resourceNamesSubscribe: [...names], ...first });
  }

  say(said: DeltaSaid): void {
    this.#call.write(DeltaDiscoveryRequest.fromPartial({ typeUrl: SECRET_TYPE_URL, ...said }));
  }

  /** The next response that was not looked at yet. */
  async next(): Promise<DeltaDiscoveryResponse> {
    const index = this.#read++;
    return eventually(`response ${index}`, () => this.responses[index]);
  }

  /** The next response, acknowledged: its one resource's name, version and secret. */
  async take(): Promise<{ readonly name: string; readonly version: string; readonly secret: Secret }> {
    const response = await this.next();
    this.say({ responseNonce: response.nonce });
    return takenOf(response);
  }

  /** The next response, rejected. */
  async reject(message: string): Promise<void> {
    const response = await this.next();
    this.say({ responseNonce: response.nonce, errorDetail: { code: 13, message, details: [] } });
  }

  /** Responses that came and were not looked at. */
  get unread(): number {
    return this.responses.length - this.#read;
  }

  end(): void {
    this.#call.cancel();
  }
}

function takenOf({ removedResources, resources }: DeltaDiscoveryResponse) {
  const [one, second] = resources;
  if (one?.resource === undefined || second !== undefined || removedResources.length > 0) {
    throw new Error(`${resources.length} secrets and ${removedResources.length} removals in one response`);
  }
  return { name: one.name, version: one.version, secret: Secret.decode(one.resource.value) };
}
