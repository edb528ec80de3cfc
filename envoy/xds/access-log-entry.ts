import { type SpiffeId, tryParseSpiffeId } from "../../spiffe/index.ts";
import { RequestMethod } from "../gen/envoy/config/core/v3/base.ts";
import type {
  AccessLogCommon,
  HTTPAccessLogEntry,
  TCPAccessLogEntry,
  TLSProperties_CertificateProperties,
} from "../gen/envoy/data/accesslog/v3/accesslog.ts";
import { ipAddressOf, portOf } from "../wire/peer.ts";

/** Why a TLS handshake came to nothing. */
export type TlsRefusalReason =
  | "no-client-certificate"
  /** Of no authority that is trusted, expired, or no SPIFFE ID of its trust domain. */
  | "untrusted-certificate"
  /** Trusted, but not of one of the callers that the listener admits. */
  | "san-mismatch"
  | "plaintext"
  /** An old version, no cipher in common, no TLS at all. */
  | "protocol"
  | "other";

interface RefusalBase {
  readonly at: Date;
  readonly listenerPort?: number;
  /** Textual IP address of the direct peer. */
  readonly peerAddress?: string;
}

/** A connection that the sidecar refused in the TLS handshake. */
export interface RefusedConnection extends RefusalBase {
  readonly kind: "connection";
  readonly reason: TlsRefusalReason;
  /**
   * SANs of the certificate that was shown, foreign text.
   * SECURITY: nothing has verified it. It never is an identity.
   */
  readonly unverifiedPeer?: string;
}

/** A request that the sidecar answered itself, before any `Check`. */
export interface RefusedRequest extends RefusalBase {
  readonly kind: "request";
  /** Envoy's response code details, e.g. `path_normalization_failed`. */
  readonly reason: string;
  readonly status: number;
  /** Absent where it is not one of the common ones. */
  readonly method?: string;
  /** Without the query; foreign text. */
  readonly path?: string;
  /** The identity that the handshake verified. */
  readonly caller?: SpiffeId;
}

/** What a sidecar refused by itself. */
export type SidecarRefusal = RefusedConnection | RefusedRequest;

/**
 * How the details of a request begin that went to `Check`, or that Envoy ended later. Everything else with an error status
 * was refused before.
 */
const NOT_BEFORE_CHECK =
  /^(?:ext_authz_|via_upstream|upstream_|no_healthy_upstream|cluster_not_found|response_timeout|max_duration_timeout|stream_idle_timeout|downstream_remote_disconnect|direct_response|$)/;

const MAX_TEXT_CHARS = 512;

/** The refusal that an entry of a TCP log tells of; undefined where the handshake succeeded. */
export function refusedConnection(entry: TCPAccessLogEntry, now: Date): RefusedConnection | undefined {
  const common = entry.commonProperties;
  const failure = common?.downstreamTransportFailureReason ?? "";
  if (common === undefined || failure === "") return undefined;
  const peer = sansOf(common.tlsProperties?.peerCertificateProperties).join(", ").slice(0, MAX_TEXT_CHARS);
  return {
    kind: "connection",
    reason: tlsRefusalReason(failure),
    ...placeOf(common, now),
    ...(peer === "" ? {} : { unverifiedPeer: peer }),
  };
}

/** The refusal that an entry of an HTTP log tells of; undefined for a request that reached `Check`. */
export function refusedRequest(
  entry: HTTPAccessLogEntry,
  destination: SpiffeId,
  now: Date,
): RefusedRequest | undefined {
  const { commonProperties: common, request, response } = entry;
  const status = response?.responseCode ?? 0;
  const details = response?.responseCodeDetails ?? "";
  if (common === undefined || status < 400 || NOT_BEFORE_CHECK.test(details)) return undefined;
  if (common.metadata?.filterMetadata.has("envoy.filters.http.ext_authz") === true) return undefined;
  const method = METHODS.get(request?.requestMethod ?? 0);
  const path = (request?.path ?? "").split(/[?#]/, 1)[0]?.slice(0, MAX_TEXT_CHARS) ?? "";
  const caller = callerOf(common, destination);
  return {
    kind: "request",
    // Some details go on with text of the request in braces.
    reason: /^[A-Za-z0-9_.-]{1,100}/.exec(details)?.[0] ?? "unknown",
    status,
    ...placeOf(common, now),
    ...(method === undefined ? {} : { method }),
    ...(path === "" ? {} : { path }),
    ...(caller === undefined ? {} : { caller }),
  };
}

/**
 * Whether an entry is about another workload: it shows a SPIFFE ID of its own that is not `destination`. A failed
 * handshake and a plaintext or edge listener show none.
 */
export function isForeign(common: AccessLogCommon | undefined, destination: SpiffeId): boolean {
  const own = sansOf(common?.tlsProperties?.localCertificateProperties).filter((san) => /^spiffe:/i.test(san));
  return own.length > 0 && !own.includes(destination.toString());
}

/**
 * Envoy's words in front of the peer's: `…:SSL routines:OPENSSL_internal:<CODE>[:verify cert failed: <which check>…]`.
 * Errors of other routines may stand before. SECURITY: the certificate's SANs may follow, so only the first one counts.
 */
export function tlsRefusalReason(text: string): TlsRefusalReason {
  const [, code, check] =
    /SSL routines:OPENSSL_internal:([A-Z0-9_]+)(?::verify cert failed: (.{0,16}))?/.exec(text) ?? [];
  switch (code) {
    case "PEER_DID_NOT_RETURN_A_CERTIFICATE":
      return "no-client-certificate";
    case "CERTIFICATE_VERIFY_FAILED":
      return check?.startsWith("SAN match") === true ? "san-mismatch" : "untrusted-certificate";
    case "HTTP_REQUEST":
    case "HTTPS_PROXY_REQUEST":
      return "plaintext";
    case "UNSUPPORTED_PROTOCOL":
    case "WRONG_VERSION_NUMBER":
    case "NO_SHARED_CIPHER":
    case "NO_SHARED_GROUP":
    case "NO_COMMON_SIGNATURE_ALGORITHMS":
    case "NO_APPLICATION_PROTOCOL":
      return "protocol";
    default:
      return "other";
  }
}

const METHODS: ReadonlyMap<number, string> = new Map(
  Object.entries(RequestMethod).flatMap(([name, value]) => (value === 0 ? [] : [[value, name] as const])),
);

/** On a mesh listener of this workload the handshake verified the peer; elsewhere nothing did. */
export function callerOf(common: AccessLogCommon, destination: SpiffeId): SpiffeId | undefined {
  const own = sansOf(common.tlsProperties?.localCertificateProperties);
  const [peer, second] = urisOf(common.tlsProperties?.peerCertificateProperties);
  if (peer === undefined || second !== undefined || !own.includes(destination.toString())) return undefined;
  const read = tryParseSpiffeId(peer);
  return read.ok ? read.id : undefined;
}

function placeOf(common: AccessLogCommon, now: Date): RefusalBase {
  const port = portOf(common.downstreamLocalAddress);
  const peer = ipAddressOf(common.downstreamDirectRemoteAddress ?? common.downstreamRemoteAddress);
  return {
    at: startOf(common) ?? now,
    ...(port === undefined ? {} : { listenerPort: port }),
    ...(peer === undefined ? {} : { peerAddress: peer }),
  };
}

/** When the connection or request began; absent where the sidecar does not say. */
export function startOf({ startTime }: AccessLogCommon): Date | undefined {
  if (startTime === undefined) return undefined;
  const at = new Date(Number(startTime.seconds) * 1000 + Math.floor(startTime.nanos / 1e6));
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function sansOf(certificate: TLSProperties_CertificateProperties | undefined): readonly string[] {
  return (certificate?.subjectAltName ?? []).flatMap(({ san }) => (san === undefined ? [] : [san.value]));
}

function urisOf(certificate: TLSProperties_CertificateProperties | undefined): readonly string[] {
  return (certificate?.subjectAltName ?? []).flatMap(({ san }) => (san?.$case === "uri" ? [san.value] : []));
}
