/** The demo meshes: their policies, and their apps as local processes or over their drive sockets. */
export type { CallResult, GrpcCall, HttpCall, RawTlsCall, Received, TcpCall } from "./app/messages.ts";
export { VISIT } from "./boutique/apps.ts";
export * from "./local/app-process.ts";
export { connectApp } from "./local/app-socket.ts";
export type { DemoApp } from "./local/demo-app.ts";
export * from "./meshes.ts";
