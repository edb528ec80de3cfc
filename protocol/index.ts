/** Messages between agents, the authority and its administrators: shapes only, no transport. */
export * from "./join-token.ts";
export * from "./messages.ts";
export * from "./protocol-error.ts";
