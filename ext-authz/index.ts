/** Beside the sidecars: the agent with its Check servers, decision log and metrics. */
export { type Agent, type AgentOptions, createAgent, severFile } from "./agent/index.ts";
export { AgentError, type AgentErrorCode } from "./agent-error.ts";
export type { AgentStatus, NetworkStatus, RefusalStatus, WorkloadStatus } from "./agent-status.ts";
export { type CheckHandler, createCheckHandler } from "./check-handler.ts";
export { type CheckServer, type StartCheckServer, startCheckServer } from "./check-server.ts";
export type { DecisionLogOptions } from "./decision-log.ts";
export type {
  AskingSidecar,
  ConnectionRefusedRecord,
  DecisionRecord,
  LogRecord,
  RequestRefusedRecord,
} from "./decision-record.ts";
export type { Logger } from "./logger.ts";
export { MAX_SOCKET_PATH_BYTES, type SocketPaths, socketPaths } from "./socket-paths.ts";
