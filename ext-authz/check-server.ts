import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { CheckHandler } from "./check-handler.ts";

/** A running Check server. */
export interface CheckServer {
  /** Lets calls in flight finish for a moment, then closes. */
  close(): Promise<void>;
}

/** Where it listens. Another engine may take grpc-js' place behind this. */
export type StartCheckServer = (socketPath: string, handler: CheckHandler) => Promise<CheckServer>;

/** Largest CheckRequest in bytes; the sidecars send no bodies and at most 60 KiB of headers. */
export const MAX_CHECK_BYTES = 1024 * 1024;

const asIs = (bytes: Buffer): Buffer => bytes;

const CHECK_SERVICE = {
  check: {
    path: "/envoy.service.auth.v3.Authorization/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const;

/** Serves `Check` on a unix socket with grpc-js, raw bytes in and out. */
export const startCheckServer: StartCheckServer = async (socketPath, handler) => {
  const server = grpcServer({ maxReceiveBytes: MAX_CHECK_BYTES });
  addCheck(server, handler);
  await bindUnix(server, socketPath);
  return { close: () => closeServer(server) };
};

/** Adds the service to a server. */
export function addCheck(server: Server, handler: (request: Buffer) => Buffer): void {
  server.addService(CHECK_SERVICE, {
    check: (call: { readonly request: Buffer }, reply: (error: object | null, response?: Buffer) => void) => {
      try {
        reply(null, handler(call.request));
      } catch {
        // A handler does not throw; if one does, Envoy answers 503 for any gRPC error.
        reply({ code: status.INTERNAL, details: "internal error" });
      }
    },
  });
}

/**
 * A grpc-js server with the limits and the keepalive that all sockets of the agent share.
 * `grpc.enable_channelz` stays on: without it grpc-js keeps no list of its sessions, and cannot end them.
 */
export function grpcServer(options: { readonly maxReceiveBytes: number }): Server {
  return new Server({
    "grpc.max_receive_message_length": options.maxReceiveBytes,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.max_concurrent_streams": 10_000,
  });
}

/** Binds a server to a unix socket. */
export function bindUnix(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

/** Stops a server: what is in flight has half a second, streams are ended. */
export function closeServer(server: Server, graceMs = 500): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
