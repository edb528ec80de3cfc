import type { SpiffeId } from "../../spiffe/index.ts";

/** A verified JSON Web Token's payload, or the knowledge that none verified. */
export type TokenState =
  /** `jwt_authn` verified a token of this provider. The evaluator demands `exp` itself. */
  | { readonly kind: "verified"; readonly payload: Readonly<Record<string, unknown>> }
  /** `jwt_authn` ran and found no token, or one that failed to verify. */
  | { readonly kind: "absent" };

/** The HTTP part of a request as the sidecar saw it. */
export interface HttpAttributes {
  readonly method: string;
  /** The raw request target, query included, as in `:path`. */
  readonly path: string;
  readonly host: string;
  /** Lower-case names; values in order of arrival, one byte a character (latin1). Pseudo headers are not in here. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: string;
  /** Lower-case value of `upgrade`, where the request asks for one. */
  readonly upgrade?: string;
}

/** Everything a decision may look at, for one request or one connection. */
export interface Attributes {
  /** The peer's mTLS identity; absent for an anonymous caller of an edge listener, or where `callerProblem` says why. */
  readonly caller?: SpiffeId;
  /** Why the peer's principal is not a SPIFFE ID, where one was presented that is not (or more than one). */
  readonly callerProblem?: string;
  /** Serial of the peer's certificate: lower-case hex without leading zeros. */
  readonly callerSerial?: string;
  readonly destination: SpiffeId;
  /** Textual IP address of the direct peer; absent over a unix socket. */
  readonly peerAddress?: string;
  readonly listener: { readonly port: number; readonly kind: "mesh" | "edge" };
  /** Exactly one of `http` and `tcp` is there; neither means `internal-error`. */
  readonly http?: HttpAttributes;
  readonly tcp?: Readonly<Record<string, never>>;
  /** By JWT provider name. A provider that is not in here did not run, so conditions on it are unknown. */
  readonly claims?: ReadonlyMap<string, TokenState>;
  /** Lower-case names of headers that the sidecar does not forward to `Check`: conditions on them are unknown. */
  readonly withheldHeaders?: ReadonlySet<string>;
  /** Only of a request that is read back from a decision record: what the record does not hold is unknown. */
  readonly unrecorded?: Unrecorded;
  readonly now: Date;
}

/**
 * What a decision record leaves open: every condition on host, headers, query and token is unknown. A host that is
 * refused is refused all the same, so that a record of such a refusal can be told.
 *
 * SECURITY: makes predicates unknown and nothing true, so that it can only deny; a sidecar's request never has it.
 */
export interface Unrecorded {
  /** Whether the request was gRPC, where the record or its deciding line tells; absent where neither does. */
  readonly grpc?: boolean;
}
