/** The SPIFFE Workload API, both ends of it: sources of identities for programs, and the service that gives them. */
export * as workloadApi from "./gen/workloadapi.ts";
export { addWorkloadApi, type JwtSvidIssue, SECURITY_HEADER, type WorkloadApiProvider } from "./server.ts";
export type { WorkloadState, WorkloadStateSource, WorkloadTrust } from "./state.ts";
