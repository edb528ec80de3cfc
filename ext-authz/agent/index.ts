/** The agent itself: identity, subscription to the authority, the workloads' sockets. */
export { type Agent, type AgentOptions, createAgent } from "./agent.ts";
