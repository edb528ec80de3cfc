import { status } from "@grpc/grpc-js";
import type { JwtSvid } from "../jwt-svid.ts";
import { tryParseSpiffeId } from "../spiffe-id.ts";
import type { TrustDomain } from "../trust-domain.ts";
import { verifyJwtSvid } from "../verify-jwt-svid.ts";
import type {
  JWTSVIDRequest,
  JWTSVIDResponse,
  ValidateJWTSVIDRequest,
  ValidateJWTSVIDResponse,
} from "./gen/workloadapi.ts";
import type { WorkloadApiProvider } from "./provider.ts";
import { absence, invalid, type ServiceError } from "./status.ts";

const MAX_AUDIENCES = 32;
const MAX_AUDIENCE_CHARS = 1024;

/** Registered claims (RFC 7519, section 4.1), which are told of every token. */
const REGISTERED: ReadonlySet<string> = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);

/** Answers FetchJWTSVID. */
export async function fetchJwtSvid(
  request: JWTSVIDRequest,
  provider: WorkloadApiProvider,
  signal: AbortSignal,
): Promise<JWTSVIDResponse | ServiceError> {
  const { issueJwtSvid, state } = provider;
  if (issueJwtSvid === undefined) return { code: status.UNIMPLEMENTED, details: "JWT-SVIDs are not served" };
  const problem = audienceProblem(request.audience);
  if (problem !== undefined) return invalid(problem);
  if (request.spiffeId !== "" && !tryParseSpiffeId(request.spiffeId).ok) return invalid("`spiffe_id` is no SPIFFE ID");
  if (state.kind !== "present") return absence(state);
  const { id } = state.svid;
  if (request.spiffeId !== "" && request.spiffeId !== id.toString()) return absence({ kind: "none" });
  const issued = await issueJwtSvid(id, request.audience, signal);
  if (issued.ok) return { svids: [{ spiffeId: id.toString(), svid: issued.token, hint: "" }] };
  return absence({ kind: issued.kind === "denied" ? "none" : "pending" });
}

function audienceProblem(audience: readonly string[]): string | undefined {
  if (audience.length === 0) return "`audience` is missing";
  if (audience.length > MAX_AUDIENCES) return `more than ${MAX_AUDIENCES} audiences`;
  if (audience.some((one) => one === "")) return "an `audience` is empty";
  return audience.some((one) => one.length > MAX_AUDIENCE_CHARS) ? "an `audience` is too long" : undefined;
}

/** Answers ValidateJWTSVID. */
export async function validateJwtSvid(
  request: ValidateJWTSVIDRequest,
  provider: WorkloadApiProvider,
): Promise<ValidateJWTSVIDResponse | ServiceError> {
  const { audience, svid } = request;
  if (audience === "") return invalid("`audience` is missing");
  if (svid === "") return invalid("`svid` is missing");
  const { state } = provider;
  if (state.kind !== "present") return absence(state);
  const { bundles, trustDomain } = state.trust;
  const bundleOf = (name: TrustDomain) => bundles.get(name);
  const verified = await verifyJwtSvid(svid, { audience, at: provider.now(), bundleOf });
  if (!verified.ok) return invalid(verified.message);
  const { id } = verified.svid;
  // SECURITY: what another trust domain claims beyond the registered claims is not passed on as if we had said it.
  const told = id.trustDomain === trustDomain ? undefined : new Set([...REGISTERED, ...(provider.foreignClaims ?? [])]);
  return { spiffeId: id.toString(), claims: claimsOf(verified.svid, told) };
}

function claimsOf(svid: JwtSvid, told: ReadonlySet<string> | undefined): Record<string, unknown> {
  const claims = [...svid.claims].filter(([name]) => told?.has(name) ?? true);
  return Object.fromEntries([...claims, ["aud", svid.audience]]);
}
