/** The SPIFFE Workload API, both ends of it: sources of identities for programs, and the service that gives them. */
export * as workloadApi from "./gen/workloadapi.ts";
