/** The agent itself: identity, subscription to the authority, the workloads' sockets. */

export { type Agent, createAgent } from "./agent.ts";
export type { AgentOptions } from "./agent-options.ts";
export { severFile } from "./severance.ts";
