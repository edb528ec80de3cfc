import { type Metadata, type Server, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import {
  JWTBundlesResponse,
  type JWTSVIDRequest,
  type JWTSVIDResponse,
  SpiffeWorkloadAPIService,
  type ValidateJWTSVIDRequest,
  type ValidateJWTSVIDResponse,
  X509BundlesResponse,
  X509SVIDResponse,
} from "./gen/workloadapi.ts";
import { fetchJwtSvid, validateJwtSvid } from "./jwt-methods.ts";
import { jwtBundlesResponse, x509BundlesResponse, x509SvidResponse } from "./messages.ts";
import type { WorkloadApiProvider } from "./provider.ts";
import type { WorkloadState } from "./state.ts";
import { absence, type ServiceError } from "./status.ts";

/** Name of the metadata entry that every call carries, with the value `true`. */
export const SECURITY_HEADER = "workload.spiffe.io";

const PATIENCE_MS = 2_000;

/** The part of a grpc-js stream that is used here. */
interface Stream<Response> {
  readonly metadata: Metadata;
  write(response: Response): unknown;
  emit(event: "error", error: Error): unknown;
  on(event: "cancelled" | "close" | "error", listener: () => void): unknown;
}

type Present = Extract<WorkloadState, { kind: "present" }>;
interface Codec<Response> {
  encode(response: Response): { finish(): Uint8Array };
}

/**
 * Adds the SPIFFE Workload API, X.509 and JWT profiles, to a server that one workload alone can reach (Workload Endpoint,
 * section 5: the socket is the attestation).
 */
export function addWorkloadApi(server: Server, provider: WorkloadApiProvider): void {
  server.addService(SpiffeWorkloadAPIService, {
    fetchX509Svid: (call: Stream<X509SVIDResponse>) =>
      follow(call, provider, X509SVIDResponse, ({ svid, trust }) => x509SvidResponse(svid, trust)),
    fetchX509Bundles: (call: Stream<X509BundlesResponse>) =>
      follow(call, provider, X509BundlesResponse, ({ trust }) => x509BundlesResponse(trust)),
    fetchJwtBundles: (call: Stream<JWTBundlesResponse>) =>
      follow(call, provider, JWTBundlesResponse, ({ trust }) => jwtBundlesResponse(trust)),
    fetchJwtsvid: (call: ServerUnaryCall<JWTSVIDRequest, JWTSVIDResponse>, reply: sendUnaryData<JWTSVIDResponse>) =>
      answer(call, reply, (signal) => fetchJwtSvid(call.request, provider, signal)),
    validateJwtsvid: (
      call: ServerUnaryCall<ValidateJWTSVIDRequest, ValidateJWTSVIDResponse>,
      reply: sendUnaryData<ValidateJWTSVIDResponse>,
    ) => answer(call, reply, () => validateJwtSvid(call.request, provider)),
  });
}

/**
 * Sends the complete state at once, and again after each change of it; ends with PERMISSION_DENIED when the identity is
 * withdrawn. Where the first identity is on its way, "at once" is when it comes: clients that are sent away wait a whole second and more.
 */
function follow<Response>(
  call: Stream<Response>,
  provider: WorkloadApiProvider,
  codec: Codec<Response>,
  respond: (state: Present) => Response,
): void {
  const problem = headerProblem(call.metadata);
  if (problem !== undefined) {
    fail(call, problem);
    return;
  }
  let sent: Uint8Array | undefined;
  let patience: NodeJS.Timeout | undefined;
  const send = (): void => {
    const { state } = provider;
    if (state.kind === "pending" && patience !== undefined) return;
    clearTimeout(patience);
    patience = undefined;
    if (state.kind !== "present") {
      stop();
      fail(call, absence(state));
      return;
    }
    const response = respond(state);
    const bytes = codec.encode(response).finish();
    if (sent !== undefined && Buffer.compare(bytes, sent) === 0) return;
    sent = bytes;
    call.write(response);
  };
  const unsubscribe = provider.subscribe(send);
  const stop = (): void => {
    clearTimeout(patience);
    unsubscribe();
  };
  for (const event of ["cancelled", "close", "error"] as const) call.on(event, stop);
  const impatient = (): void => {
    patience = undefined;
    send();
  };
  patience = setTimeout(impatient, provider.patienceMs ?? PATIENCE_MS);
  send();
}

function answer<Request, Response>(
  call: ServerUnaryCall<Request, Response>,
  reply: sendUnaryData<Response>,
  respond: (signal: AbortSignal) => Promise<Response | ServiceError>,
): void {
  const problem = headerProblem(call.metadata);
  if (problem !== undefined) {
    reply(problem);
    return;
  }
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  respond(gone.signal).then(
    (result) => (isError(result) ? reply(result) : reply(null, result)),
    () => reply({ code: status.INTERNAL, details: "internal error" }),
  );
}

function isError(result: unknown): result is ServiceError {
  return typeof result === "object" && result !== null && "code" in result && "details" in result;
}

/** SECURITY: demanded by the Workload Endpoint standard, so that a page or proxy that is made to call here cannot. */
function headerProblem(metadata: Metadata): ServiceError | undefined {
  const values = metadata.get(SECURITY_HEADER);
  if (values.length === 1 && values[0] === "true") return undefined;
  const details = `the security header \`${SECURITY_HEADER}: true\` is missing from the request`;
  return { code: status.INVALID_ARGUMENT, details };
}

function fail(call: Pick<Stream<never>, "emit">, error: ServiceError): void {
  // How grpc-js ends a stream with a status; `destroy` would leave it open.
  call.emit("error", Object.assign(new Error(error.details), error));
}
