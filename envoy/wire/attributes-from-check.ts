import type { Attributes, HttpAttributes, ReasonCode } from "../../policies/index.ts";
import type { SpiffeId } from "../../spiffe/index.ts";
import type { AttributeContext, AttributeContext_HttpRequest } from "../gen/envoy/service/auth/v3/attribute_context.ts";
import { CheckRequest } from "../gen/envoy/service/auth/v3/external_auth.ts";
import { type CheckHeaders, headersOf } from "./check-headers.ts";
import { type ListenerContext, tryParseListenerContext } from "./context-extensions.ts";
import { claimsOf } from "./jwt-metadata.ts";
import { type CertificateFacts, ipAddressOf, type PeerFacts, peerOf, portOf } from "./peer.ts";
import { certificateFacts } from "./peer-certificate.ts";

/** What the socket that a `Check` came in on says about it. */
export interface CheckSocket {
  /** The workload whose sidecar may open the socket. */
  readonly destination: SpiffeId;
  readonly now: Date;
}

/**
 * A `CheckRequest` as the policies see it, or why it is refused before any rule. `correlationId` is Envoy's request id, where
 * it is a UUID: a generated sidecar removes the caller's own and mints this one; another sidecar may have taken the caller's.
 */
export type CheckReading =
  | {
      readonly ok: true;
      readonly attributes: Attributes;
      readonly correlationId?: string;
    }
  | {
      readonly ok: false;
      readonly reason: ReasonCode;
      /** For the decision log; never sent to the caller. */
      readonly detail: string;
      /** The peer's principal as it stands there, foreign text. */
      readonly caller?: string;
      /** The path without its query, foreign text. */
      readonly path?: string;
      readonly correlationId?: string;
    };

type Refusal = Extract<CheckReading, { ok: false }>;

/**
 * Reads the bytes of an `envoy.service.auth.v3.CheckRequest`. Never throws: what cannot be read is a refusal, reason
 * `internal-error`; one that is about another workload has reason `unknown-destination`.
 */
export function attributesFromCheck(request: Uint8Array, socket: CheckSocket): CheckReading {
  try {
    const context = CheckRequest.decode(request).attributes;
    if (context === undefined)
      return { ok: false, reason: "internal-error", detail: "no attributes in the check request" };
    return context.request?.http === undefined
      ? readConnection(context, socket)
      : readRequest(context, context.request.http, socket);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "unreadable";
    return { ok: false, reason: "internal-error", detail: `check request cannot be decoded: ${detail}` };
  }
}

function readRequest(context: AttributeContext, http: AttributeContext_HttpRequest, socket: CheckSocket): CheckReading {
  const headers = headersOf(http);
  const correlationId = requestIdOf(headers);
  const refuse = refusal(context, http, correlationId);
  const listener = tryParseListenerContext(context.contextExtensions);
  if (listener === undefined) return refuse("internal-error", "the sidecar does not say which listener this is");
  const port = listener.port ?? portOf(context.destination?.address);
  if (port === undefined) return refuse("internal-error", "the sidecar does not say which port this is");
  const kind = listener.kind ?? listenerKindOf(context, socket);
  if (kind === undefined || (kind === "mesh" && !isDestination(context, socket))) {
    return refuse("unknown-destination", otherDestination(context));
  }
  if (http.method === "") return refuse("internal-error", "the request has no method");
  if (http.path === "") return refuse("ambiguous-path", "the request has no path");
  const attributes: Attributes = {
    ...peerOf(context.source?.principal ?? "", peerFacts(context, listener, headers), kind),
    ...shared(context, socket, { kind, port }),
    ...optionalParts(context, listener),
    http: httpOf(http, headers),
  };
  return { ok: true, attributes, ...correlationId };
}

// SECURITY: only a sidecar that says it is one of ours has removed these headers from what the caller sent; of any other
// they are the caller's own words, and the peer's certificate, where the sidecar sends it, takes their place.
function peerFacts(context: AttributeContext, listener: ListenerContext, headers: CheckHeaders): PeerFacts {
  return listener.kind === undefined ? factsOfCertificate(context) : headers;
}

function factsOfCertificate(context: AttributeContext): CertificateFacts {
  return certificateFacts(context.source?.certificate ?? "");
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function requestIdOf(headers: CheckHeaders): { readonly correlationId?: string } {
  const [id, second] = headers.rules.get("x-request-id") ?? [];
  return id !== undefined && second === undefined && UUID.test(id) ? { correlationId: id } : {};
}

/** Envoy's network filter sends neither a request nor context extensions. */
function readConnection(context: AttributeContext, socket: CheckSocket): CheckReading {
  const refuse = refusal(context, undefined, {});
  const port = portOf(context.destination?.address);
  if (port === undefined) return refuse("internal-error", "the sidecar does not say which port this is");
  const kind = listenerKindOf(context, socket);
  if (kind === undefined) return refuse("unknown-destination", otherDestination(context));
  return {
    ok: true,
    attributes: {
      ...peerOf(context.source?.principal ?? "", factsOfCertificate(context), kind),
      ...shared(context, socket, { kind, port }),
      tcp: {},
    },
  };
}

// SECURITY: where nothing says what kind of listener it is, the two certificates tell. A mesh listener always shows this
// workload's certificate, so a peer on any other listener is anonymous: one with a certificate of its own there is refused,
// and so is a listener that shows another SPIFFE ID.
function listenerKindOf(context: AttributeContext, socket: CheckSocket): "mesh" | "edge" | undefined {
  if (isDestination(context, socket)) return "mesh";
  const own = context.destination?.principal ?? "";
  const peer = context.source?.principal ?? "";
  return peer === "" && !/^spiffe:/i.test(own) ? "edge" : undefined;
}

function otherDestination(context: AttributeContext): string {
  const own = context.destination?.principal ?? "";
  const shown = own === "" ? "shows no certificate" : `shows the certificate of \`${own}\``;
  return `the sidecar's listener ${shown}, not this workload's`;
}

function isDestination(context: AttributeContext, socket: CheckSocket): boolean {
  return context.destination?.principal === socket.destination.toString();
}

function shared(context: AttributeContext, socket: CheckSocket, listener: Attributes["listener"]) {
  const peerAddress = ipAddressOf(context.source?.address);
  const base = { destination: socket.destination, listener, now: socket.now };
  return peerAddress === undefined ? base : { ...base, peerAddress };
}

function optionalParts(
  context: AttributeContext,
  listener: ListenerContext,
): Pick<Attributes, "claims" | "withheldHeaders"> {
  const claims = claimsOf(context.metadataContext);
  return {
    ...(claims === undefined ? {} : { claims }),
    ...(listener.withheld === undefined ? {} : { withheldHeaders: listener.withheld }),
  };
}

/** Method, path and host come from their own fields: the pseudo headers may be missing or filtered. */
function httpOf(http: AttributeContext_HttpRequest, headers: CheckHeaders): HttpAttributes {
  const upgrade = upgradeOf(http.method, headers);
  return {
    method: http.method,
    path: http.path,
    host: http.host,
    headers: headers.rules,
    protocol: http.protocol,
    ...(upgrade === undefined ? {} : { upgrade }),
  };
}

// SECURITY: an `upgrade` header counts even where `connection` does not name it, and CONNECT counts always, so that no
// line for ordinary requests can match a stream that turns into something else.
function upgradeOf(method: string, headers: CheckHeaders): string | undefined {
  const asked = headers.rules.get("upgrade")?.join(",") ?? headers.protocol;
  if (asked !== undefined) return asked.trim() === "" ? "unnamed" : asked.trim().toLowerCase();
  return method.toUpperCase() === "CONNECT" ? "connect" : undefined;
}

function refusal(
  context: AttributeContext,
  http: AttributeContext_HttpRequest | undefined,
  correlationId: { readonly correlationId?: string },
) {
  const caller = context.source?.principal ?? "";
  const path = http?.path.split(/[?#]/, 1)[0] ?? "";
  return (reason: ReasonCode, detail: string): Refusal => ({
    ok: false,
    reason,
    detail,
    ...(caller === "" ? {} : { caller }),
    ...(path === "" ? {} : { path }),
    ...correlationId,
  });
}
