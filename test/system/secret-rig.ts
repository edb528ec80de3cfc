import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { Secret } from "../../envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from "../../envoy/gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService } from "../../envoy/gen/envoy/service/secret/v3/sds.ts";
import {
  AccessLogIntake,
  addAccessLogIntake,
  locateEnvoy,
  type OpenSecretStream,
  type RunningEnvoy,
  renderSidecar,
  runEnvoy,
  type SecretDiscovery,
  type SidecarRefusal,
} from "../../envoy/index.ts";
import { createKey, type TestCertificate } from "../../spiffe/testing/index.ts";
import { freePorts } from "../support/free-ports.ts";
import { converse, tlsTo } from "./clients.ts";

/** The workload whose sidecar runs. */
export const ORDERS = "spiffe://shop.example/shop/orders";

/**
 * One sidecar with two HTTP listeners, so that each secret is used in two places, and one server-first TCP listener. The
 * agent's side is the real one, but for the wire: the test can spoil a leaf on its way.
 */
export interface SecretRig {
  readonly secrets: SecretDiscovery;
  readonly ports: RigPorts;
  readonly intake: AccessLogIntake;
  readonly refusals: SidecarRefusal[];
  /** Whether leaves lose their key on the wire. */
  spoil: boolean;
  /** Whether the handshake on a port lets this certificate in; what `Check` would say does not matter here. */
  admitted(port: number, identity: TestCertificate | undefined): Promise<boolean>;
  /** Starts the sidecar, after the first secrets were set. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RigPorts {
  readonly one: number;
  readonly two: number;
  readonly serverFirst: number;
}

/** Makes a rig; the sidecar asks for its secrets by state of the world, or by delta. */
export async function secretRig(secrets: SecretDiscovery, form: "GRPC" | "DELTA_GRPC"): Promise<SecretRig> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const at = (name: string): string => join(folder, name);
  const [one = 0, two = 0, serverFirst = 0] = await freePorts(3);
  const refusals: SidecarRefusal[] = [];
  const listener = (refusal: SidecarRefusal) => void refusals.push(refusal);
  const intake = new AccessLogIntake({ destination: workload("orders").identity, clock: () => new Date(), listener });
  const server = new Server();
  let envoy: RunningEnvoy | undefined;
  const rig: SecretRig = {
    secrets,
    ports: { one, two, serverFirst },
    intake,
    refusals,
    spoil: false,
    admitted: async (port, identity) => {
      const { text } = await converse(tlsTo(port, identity), "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      return text.startsWith("HTTP/1.1 ");
    },
    start: async () => {
      await serveSecrets(server, rig, at("envoy.sock"));
      const { path, version } = await locateEnvoy();
      const rendered = renderSidecar({ ...sidecarOf(rig.ports, at), envoyVersion: version });
      const bootstrap = JSON.parse(JSON.stringify(rendered, (key, value) => secretsBy(form, key, value)));
      envoy = await runEnvoy({ path, bootstrap, adminSocket: at("admin.sock") });
      await envoy.ready();
    },
    stop: async () => {
      await envoy?.stop();
      server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  addAccessLogIntake(server, intake);
  return rig;
}

function sidecarOf(ports: RigPorts, at: (name: string) => string) {
  const app = `unix:${at("app.sock")}`;
  const listens = [
    listen({ port: ports.one, app }),
    listen({ port: ports.two, app }),
    listen({ port: ports.serverFirst, app, protocol: "tcp", speaksFirst: "server" }),
  ];
  const own = workload("orders", sidecar({ listens }));
  const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
  return { workload: own, set: meshOf([own]), sockets, adminSocket: at("admin.sock") };
}

/** The only sources of a sidecar that speak gRPC are those of its secrets. */
function secretsBy(form: "GRPC" | "DELTA_GRPC", key: string, value: unknown): unknown {
  return key === "api_type" && value === "GRPC" ? form : value;
}

async function serveSecrets(server: Server, rig: SecretRig, socket: string): Promise<void> {
  const { secrets } = rig;
  server.addService(SecretDiscoveryServiceService, {
    streamSecrets: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) =>
      serve(call, secrets.open({ send: (response) => void call.write(rig.spoil ? spoilt(response) : response) })),
    deltaSecrets: (call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>) =>
      serve(
        call,
        secrets.openDelta({ send: (response) => void call.write(rig.spoil ? spoiltDelta(response) : response) }),
      ),
    fetchSecrets: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

function serve<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  stream: OpenSecretStream<Request>,
): void {
  call.on("data", (request: Request) => stream.receive(request));
  call.on("error", () => stream.close());
  call.on("end", () => {
    stream.close();
    call.end();
  });
}

function spoilt(response: DiscoveryResponse): DiscoveryResponse {
  return { ...response, resources: response.resources.map((one) => ({ ...one, value: withoutKey(one.value) })) };
}

function spoiltDelta(response: DeltaDiscoveryResponse): DeltaDiscoveryResponse {
  const resources = response.resources.map((one) => {
    const { resource } = one;
    return resource === undefined ? one : { ...one, resource: { ...resource, value: withoutKey(resource.value) } };
  });
  return { ...response, resources };
}

/** A leaf with another's key; anything else as it is. */
function withoutKey(bytes: Uint8Array): Uint8Array {
  const secret = Secret.decode(bytes);
  if (secret.type?.$case !== "tlsCertificate") return bytes;
  const value = Buffer.from(createKey("p256").export({ type: "pkcs8", format: "pem" }));
  secret.type.value.privateKey = { specifier: { $case: "inlineBytes", value }, watchedDirectory: undefined };
  return Secret.encode(secret).finish();
}
