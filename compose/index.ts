/** The demo meshes: their policies, and their apps as local processes. */
export * from "./local/app-process.ts";
export type { CallResult, HttpCall, RawTlsCall, Received, TcpCall } from "./shop/app/messages.ts";
export * from "./shop/files.ts";
