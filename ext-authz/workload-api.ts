import { type Metadata, type Server, status } from "@grpc/grpc-js";
import type { TrustBundle, X509Svid } from "../spiffe/index.ts";
import { workloadApi } from "../spiffe/workload-api/index.ts";
import type { IdentityState, TrustState, WorkloadIdentity } from "./workload-identity.ts";

interface ServiceError {
  readonly code: status;
  readonly details: string;
}

/** The part of a grpc-js stream that is used here. */
interface Stream<Response> {
  readonly metadata: Metadata;
  write(response: Response): unknown;
  end(): unknown;
  emit(event: "error", error: Error): unknown;
  on(event: "cancelled" | "close" | "error", listener: () => void): unknown;
}

const HEADER = "workload.spiffe.io";

/** Adds the SPIFFE Workload API (X.509 profile) of one workload to a server. JWT methods answer UNIMPLEMENTED. */
export function addWorkloadApi(server: Server, identity: WorkloadIdentity): void {
  const { SpiffeWorkloadAPIService } = workloadApi;
  server.addService(SpiffeWorkloadAPIService, {
    fetchX509Svid: (call: Stream<workloadApi.X509SVIDResponse>) => follow(call, identity, x509SvidResponse),
    fetchX509Bundles: (call: Stream<workloadApi.X509BundlesResponse>) => follow(call, identity, x509BundlesResponse),
    fetchJwtBundles: (call: Stream<never>) => fail(call, headerProblem(call.metadata) ?? noJwt()),
    fetchJwtsvid: (call: { readonly metadata: Metadata }, reply: (error: ServiceError) => void) =>
      reply(headerProblem(call.metadata) ?? noJwt()),
    validateJwtsvid: (call: { readonly metadata: Metadata }, reply: (error: ServiceError) => void) =>
      reply(headerProblem(call.metadata) ?? noJwt()),
  });
}

/** Sends the complete state at once and after each change; ends with PERMISSION_DENIED when the identity is withdrawn. */
function follow<Response>(
  call: Stream<Response>,
  identity: WorkloadIdentity,
  respond: (svid: X509Svid, trust: TrustState) => Response,
): void {
  const problem = headerProblem(call.metadata);
  if (problem !== undefined) {
    fail(call, problem);
    return;
  }
  const send = (): void => {
    const state = identity.state;
    if (state.kind === "present") {
      call.write(respond(state.svid, state.trust));
      return;
    }
    stop();
    fail(call, absence(state));
  };
  const stop = identity.subscribe(send);
  for (const event of ["cancelled", "close", "error"] as const) call.on(event, stop);
  send();
}

/** SECURITY: demanded by the Workload Endpoint standard, so that a page or proxy that is made to call here cannot. */
function headerProblem(metadata: Metadata): ServiceError | undefined {
  const values = metadata.get(HEADER);
  if (values.length === 1 && values[0] === "true") return undefined;
  return {
    code: status.INVALID_ARGUMENT,
    details: `the security header \`${HEADER}: true\` is missing from the request`,
  };
}

function absence(state: Exclude<IdentityState, { kind: "present" }>): ServiceError {
  switch (state.kind) {
    case "pending":
      return { code: status.UNAVAILABLE, details: "the agent has no identity for this workload yet" };
    case "none":
      return { code: status.PERMISSION_DENIED, details: "no identity issued" };
  }
}

function noJwt(): ServiceError {
  return { code: status.UNIMPLEMENTED, details: "JWT-SVIDs are not served" };
}

function fail(call: Stream<never>, error: ServiceError): void {
  // How grpc-js ends a stream with a status; `destroy` would leave it open.
  call.emit("error", Object.assign(new Error(error.details), error));
}

function x509SvidResponse(svid: X509Svid, trust: TrustState): workloadApi.X509SVIDResponse {
  const own = trust.bundles.get(trust.trustDomain);
  return {
    svids: [
      {
        spiffeId: svid.id.toString(),
        x509Svid: Buffer.concat(svid.chain.map((certificate) => certificate.raw)),
        x509SvidKey: svid.privateKey.export({ type: "pkcs8", format: "der" }),
        bundle: own === undefined ? Buffer.alloc(0) : derOf(own),
        hint: "",
      },
    ],
    crl: [],
    federatedBundles: bundleMap(
      [...trust.bundles.values()].filter((bundle) => bundle.trustDomain !== trust.trustDomain),
    ),
  };
}

function x509BundlesResponse(_svid: X509Svid, trust: TrustState): workloadApi.X509BundlesResponse {
  return { crl: [], bundles: bundleMap([...trust.bundles.values()]) };
}

/** Keyed by the trust domain's SPIFFE ID, as the standard demands. */
function bundleMap(bundles: readonly TrustBundle[]): Map<string, Uint8Array> {
  return new Map(bundles.map((bundle) => [`spiffe://${bundle.trustDomain}`, derOf(bundle)]));
}

function derOf(bundle: TrustBundle): Buffer {
  return Buffer.concat(bundle.x509Authorities.map((authority) => authority.raw));
}
