/** The SPIFFE Workload API, both ends of it: sources of identities for programs, and the service that gives them. */
export type { HintedSvid, X509Context } from "./answers.ts";
export type { BundleSource } from "./bundle-source.ts";
export {
  type FollowEndpointOptions,
  type FollowedBundle,
  type FollowOptions,
  followBundleEndpoint,
  followBundleFile,
  joinBundles,
} from "./bundle-sources.ts";
export { type Watcher, WorkloadApiClient, type WorkloadApiOptions } from "./client.ts";
export { ENDPOINT_VARIABLE, endpointTarget, parseEndpoint } from "./endpoint.ts";
export * as workloadApi from "./gen/workloadapi.ts";
export { JwtSource, type JwtSourceOptions } from "./jwt-source.ts";
export { callerOf, peerIdOf, type TlsPeers } from "./peer.ts";
export type { JwtSvidIssue, WorkloadApiProvider } from "./provider.ts";
export { addWorkloadApi, SECURITY_HEADER } from "./server.ts";
export type { WorkloadState, WorkloadStateSource, WorkloadTrust } from "./state.ts";
export { grpcCredentials, httpsAgent, type TlsMaterial, tlsClientOptions, tlsMaterial } from "./tls-client.ts";
export { type GrpcListener, listenGrpc, protectServer, type ServerPeers, tlsServerOptions } from "./tls-server.ts";
export { type X509Identity, X509Source, type X509SourceOptions } from "./x509-source.ts";
