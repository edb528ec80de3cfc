/** Messages between agents, the authority and its administrators: shapes only, no transport. */
export * from "./agent-messages.ts";
export * from "./ca-messages.ts";
export * from "./documents.ts";
export { type ApiError, acknowledgement, apiError, diagnosticMessage } from "./failure.ts";
export * from "./join-token.ts";
export * from "./parse-message.ts";
export * from "./protocol-error.ts";
export * from "./publish-messages.ts";
export * from "./status-messages.ts";
