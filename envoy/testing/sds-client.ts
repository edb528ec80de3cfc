import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientDuplexStream, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { DiscoveryRequest, type DiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService as SDS } from "../gen/envoy/service/secret/v3/sds.ts";
import { SECRET_TYPE_URL } from "../xds/secrets.ts";

/** A gRPC server on a unix socket in a folder of its own. */
export interface SocketServer {
  client(): Client;
  stop(): void;
}

/** Serves what `add` adds. */
export async function serveOnSocket(add: (server: Server) => void): Promise<SocketServer> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const address = `unix:${join(folder, "s.sock")}`;
  const server = new Server();
  add(server);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const clients: Client[] = [];
  return {
    client: () => {
      const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
      clients.push(client);
      return client;
    },
    stop: () => {
      for (const client of clients) client.close();
      server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until `condition` gives something; throws after ten seconds. */
export async function eventually<T>(what: string, condition: () => T | undefined | false): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(5);
  }
}

/** What a request of Envoy's may say besides the defaults. */
export type Said = Partial<
  Pick<DiscoveryRequest, "versionInfo" | "responseNonce" | "typeUrl" | "node" | "errorDetail">
>;

/** One `StreamSecrets` call, with Envoy's part played by the test. */
export class SdsStream {
  readonly responses: DiscoveryResponse[] = [];
  ended: "no" | "end" | "error" = "no";
  /** Version that it would report: that of the last response it took. */
  version = "";
  readonly #names: readonly string[];
  readonly #call: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;
  #read = 0;

  constructor(client: Client, names: readonly string[], first: Said = {}) {
    const { path, requestSerialize, responseDeserialize } = SDS.streamSecrets;
    this.#names = names;
    this.#call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#call.on("data", (response: DiscoveryResponse) => this.responses.push(response));
    this.#call.on("end", () => (this.ended = "end"));
    this.#call.on("error", () => (this.ended = "error"));
    this.say({ node: nodeOf("shop/orders"), ...first });
  }

  say(said: Said, names: readonly string[] = this.#names): void {
    this.#call.write(DiscoveryRequest.fromPartial({ typeUrl: SECRET_TYPE_URL, resourceNames: [...names], ...said }));
  }

  /** The next response that was not looked at yet. */
  async next(): Promise<DiscoveryResponse> {
    const index = this.#read++;
    return eventually(`response ${index} for ${this.#names}`, () => this.responses[index]);
  }

  /** The next response, acknowledged. */
  async take(): Promise<Secret> {
    const response = await this.next();
    this.acknowledge(response);
    return secretOf(response);
  }

  /** The next response, rejected. */
  async reject(message: string): Promise<Secret> {
    const response = await this.next();
    this.refuse(response, message);
    return secretOf(response);
  }

  acknowledge(response: DiscoveryResponse): void {
    this.version = response.versionInfo;
    this.say({ versionInfo: response.versionInfo, responseNonce: response.nonce });
  }

  refuse(response: DiscoveryResponse, message: string): void {
    this.say({
      versionInfo: this.version,
      responseNonce: response.nonce,
      errorDetail: { code: 13, message, details: [] },
    });
  }

  /** Responses that came and were not looked at. */
  get unread(): number {
    return this.responses.length - this.#read;
  }

  end(): void {
    this.#call.cancel();
  }
}

export function nodeOf(id: string) {
  return DiscoveryRequest.fromPartial({ node: { id } }).node;
}

/** The one secret of a response. */
export function secretOf(response: DiscoveryResponse): Secret {
  const [resource, second] = response.resources;
  if (resource === undefined || second !== undefined)
    throw new Error(`${response.resources.length} secrets in one response`);
  return Secret.decode(resource.value);
}
