import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { decodeJson, encodeJson } from "./json-message.ts";
import type { CallResult, GrpcCall } from "./messages.ts";

const TIMEOUT_MS = 10_000;

/** One unary gRPC call over a unix socket; never rejects. */
export function grpcCall({ socket, method, message }: GrpcCall): Promise<CallResult> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  return new Promise<CallResult>((resolve) => {
    client.makeUnaryRequest(
      `/${method}`,
      encodeJson,
      decodeJson,
      message ?? {},
      { deadline: Date.now() + TIMEOUT_MS },
      (error: ServiceError | null, value?: unknown) => resolve(error === null ? answered(value) : failed(error)),
    );
  }).finally(() => client.close());
}

function answered(value: unknown): CallResult {
  const body = JSON.stringify(value);
  return { status: 200, grpcStatus: 0, body, headers: {}, bytesReceived: body.length };
}

function failed({ code, details }: ServiceError): CallResult {
  return { grpcStatus: code, body: details, headers: {}, bytesReceived: 0, error: details };
}
