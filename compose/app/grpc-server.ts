import { rmSync } from "node:fs";
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import type { AppServer } from "./app-server.ts";
import { decodeJson, encodeJson } from "./json-message.ts";
import type { Received } from "./messages.ts";

/** A method of a gRPC app: takes the request's fields, gives the answer's. */
export type GrpcMethod = (request: Readonly<Record<string, unknown>>) => Promise<unknown> | unknown;

/** A gRPC app that serves one service; each call that reaches it is recorded. */
export function grpcServer(service: string, methods: ReadonlyMap<string, GrpcMethod>): AppServer {
  const received: Received[] = [];
  const definition: ServiceDefinition = Object.fromEntries(
    [...methods.keys()].map((method) => [method, methodDefinition(`/${service}/${method}`)]),
  );
  const handlers = Object.fromEntries(
    [...methods].map(([method, handle]) => [method, handlerOf(`/${service}/${method}`, handle, received)]),
  );
  const listen = async (socket: string): Promise<void> => {
    const server = new Server();
    server.addService(definition, handlers);
    rmSync(socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  };
  return { received, listen };
}

function methodDefinition(path: string): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: encodeJson,
    requestDeserialize: decodeJson,
    responseSerialize: encodeJson,
    responseDeserialize: decodeJson,
  };
}

function handlerOf(path: string, handle: GrpcMethod, received: Received[]): handleUnaryCall<unknown, unknown> {
  return (call, done) => {
    const headers = Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)] as const);
    received.push({ method: "POST", path, headers: Object.fromEntries(headers) });
    Promise.resolve()
      .then(() => handle(fieldsOf(call.request)))
      .then(
        (value) => done(null, value),
        (error: unknown) => done({ code: status.UNAVAILABLE, details: String(error) }),
      );
  };
}

function fieldsOf(request: unknown): Readonly<Record<string, unknown>> {
  return typeof request === "object" && request !== null ? { ...request } : {};
}
