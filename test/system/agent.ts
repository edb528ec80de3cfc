import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import {
  AccessLogServiceService,
  type StreamAccessLogsMessage,
} from "../../envoy/gen/envoy/service/accesslog/v3/als.ts";
import {
  AuthorizationService,
  CheckRequest,
  CheckResponse,
} from "../../envoy/gen/envoy/service/auth/v3/external_auth.ts";
import { attributesFromCheck, type CheckReading, DENIALS, encodeAnswer } from "../../envoy/index.ts";
import { addSecretDiscovery } from "../../envoy/xds/add-secret-discovery.ts";
import { SecretDiscovery } from "../../envoy/xds/secret-discovery.ts";
import type { SecretSnapshot } from "../../envoy/xds/secret-snapshot.ts";
import type { SpiffeId } from "../../spiffe/index.ts";

/** One entry of an access log as these tests look at it. */
export interface LogEntry {
  readonly log: string;
  readonly details: string;
  readonly path: string;
  readonly transportFailure: string;
}

/** The agent's side of one sidecar with a policy that the test holds in its hand. */
export interface TestAgent {
  /** Every `Check`, in order. */
  readonly checks: CheckReading[];
  /** The same as Envoy sent them. */
  readonly requests: CheckRequest[];
  readonly logs: LogEntry[];
  readonly secrets: SecretDiscovery;
  /** Decides; allows everything that could be read by default. */
  allow: (check: CheckReading) => boolean;
  /** Changes an answer before it is sent; leaves it by default. */
  changed: (response: CheckResponse) => void;
  /** Ends the authorization server, as a crash of the agent would. */
  killAuthorization(): void;
  stop(): void;
}

/** Serves Check on one unix socket, and secrets and access logs on another. */
export async function startTestAgent(
  sockets: { readonly authz: string; readonly envoy: string },
  destination: SpiffeId,
  snapshot: SecretSnapshot,
): Promise<TestAgent> {
  const secrets = new SecretDiscovery({ clock: () => new Date() });
  secrets.setSecrets(snapshot);
  const authorization = new Server();
  const discovery = new Server();
  const agent: TestAgent = {
    checks: [],
    requests: [],
    logs: [],
    secrets,
    allow: (check) => check.ok,
    changed: () => {},
    killAuthorization: () => authorization.forceShutdown(),
    stop: () => {
      authorization.forceShutdown();
      discovery.forceShutdown();
    },
  };
  authorization.addService(AuthorizationService, {
    check: (call: ServerUnaryCall<CheckRequest, CheckResponse>, callback: sendUnaryData<CheckResponse>) =>
      callback(null, answer(agent, call.request, destination)),
  });
  addSecretDiscovery(discovery, secrets);
  discovery.addService(AccessLogServiceService, {
    streamAccessLogs: (call: ServerReadableStream<StreamAccessLogsMessage, unknown>) => collect(call, agent.logs),
  });
  await bind(authorization, sockets.authz);
  await bind(discovery, sockets.envoy);
  return agent;
}

function answer(agent: TestAgent, request: CheckRequest, destination: SpiffeId): CheckResponse {
  const reading = attributesFromCheck(CheckRequest.encode(request).finish(), { destination, now: new Date() });
  agent.requests.push(request);
  agent.checks.push(reading);
  const facts = { decision: `d${agent.checks.length}`, reason: "test", evaluated: "allow" };
  const bytes = agent.allow(reading)
    ? encodeAnswer({ kind: "ok", facts })
    : encodeAnswer({ kind: "denied", denial: DENIALS.forbidden, facts });
  const response = CheckResponse.decode(bytes);
  agent.changed(response);
  return response;
}

function collect(call: ServerReadableStream<StreamAccessLogsMessage, unknown>, logs: LogEntry[]): void {
  let log = "";
  call.on("error", () => {});
  call.on("data", ({ identifier, logEntries }: StreamAccessLogsMessage) => {
    log = identifier?.logName ?? log;
    for (const entry of logEntries?.value.logEntry ?? []) {
      logs.push({
        log,
        details: "response" in entry ? (entry.response?.responseCodeDetails ?? "") : "",
        path: "request" in entry ? (entry.request?.path ?? "") : "",
        transportFailure: entry.commonProperties?.downstreamTransportFailureReason ?? "",
      });
    }
  });
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}
