import type { Server, ServerReadableStream, sendUnaryData } from "@grpc/grpc-js";
import { AccessLogServiceService, type StreamAccessLogsResponse } from "../gen/envoy/service/accesslog/v3/als.ts";
import type { AccessLogIntake } from "./access-log-intake.ts";

/** The generated method but for its decoding: the intake decodes, so that a message it cannot read ends no stream. */
const METHODS = {
  streamAccessLogs: {
    ...AccessLogServiceService.streamAccessLogs,
    requestSerialize: (bytes: Buffer): Buffer => bytes,
    requestDeserialize: (bytes: Buffer): Buffer => bytes,
  },
} as const;

/** Serves `intake` as `/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs`. */
export function addAccessLogIntake(server: Server, intake: AccessLogIntake): void {
  server.addService(METHODS, {
    streamAccessLogs: (
      call: ServerReadableStream<Buffer, StreamAccessLogsResponse>,
      callback: sendUnaryData<StreamAccessLogsResponse>,
    ) => {
      call.on("data", (bytes: Buffer) => intake.receive(bytes));
      call.on("error", () => undefined);
      call.on("end", () => callback(null, {}));
    },
  });
}
