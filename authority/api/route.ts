import type { z } from "zod";
import { parseMessage } from "../../protocol/index.ts";
import type { OidcIdentity } from "./oidc-identity.ts";

/** Who may call a route: anybody, an enrolled agent by its certificate, whoever holds the local admin token, or with an OIDC token too. */
export type Access = "open" | "agent" | "admin" | "publisher";

/** The caller after its proof was checked. */
export type Caller =
  | { readonly kind: "anybody" }
  | { readonly kind: "agent"; readonly node: string; readonly serial: string }
  | { readonly kind: "admin" }
  /** By an OIDC token that meets these proofs of teams' publishers or of approvers. */
  | ({ readonly kind: "publisher" } & OidcIdentity);

/** What a handler sees of a request. */
export interface Call {
  readonly caller: Caller;
  /** Path parameters by name. */
  readonly params: ReadonlyMap<string, string>;
  /** Query parameters; a repeated one is refused before. */
  readonly query: ReadonlyMap<string, string>;
}

/** An answer. `etag` is the bare value, without quotes. */
export type Reply =
  | { readonly kind: "json"; readonly status?: number; readonly body: unknown; readonly etag?: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly etag: string; readonly immutable: boolean }
  | { readonly kind: "text"; readonly contentType: string; readonly text: string };

/** What a route answers when all is well, for the OpenAPI document. */
export type ResponseShape =
  | { readonly kind: "json"; readonly name: string; readonly schema: z.ZodType }
  | { readonly kind: "bytes" }
  | { readonly kind: "text"; readonly contentType: string };

/** One route of the API; paths in OpenAPI form, `/v1/bundle/shards/{sha256}`. */
export interface Route {
  readonly method: "get" | "post";
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly request?: { readonly name: string; readonly schema: z.ZodType; readonly limitBytes: number };
  readonly query?: { readonly schema: z.ZodType };
  readonly response: ResponseShape;
  /** Further statuses that the route answers, e.g. 404, beside those that its access and method imply. */
  readonly failures?: readonly number[];
  /** Whether the answer carries an `ETag` and may be waited for (`Prefer: wait`, RFC 7240). */
  readonly longPoll?: true;
  handle(call: Call, body: unknown): Reply | Promise<Reply>;
}

const DEFAULT_LIMIT_BYTES = 16 * 1024;

/** A route that takes a JSON body, read by its schema before the handler sees it. */
export function post<Body>(
  route: Omit<Route, "method" | "handle" | "request"> & {
    readonly request: { readonly name: string; readonly schema: z.ZodType<Body>; readonly limitBytes?: number };
    handle(call: Call, body: Body): Reply | Promise<Reply>;
  },
): Route {
  const { name, schema, limitBytes = DEFAULT_LIMIT_BYTES } = route.request;
  return {
    ...route,
    method: "post",
    request: { name, schema, limitBytes },
    handle: (call, body) => route.handle(call, parseMessage(schema, body, name)),
  };
}

/** A route that reads. */
export function get(route: Omit<Route, "method" | "request">): Route {
  return { ...route, method: "get" };
}

/** A JSON answer. */
export function json(body: unknown, options: { readonly status?: number; readonly etag?: string } = {}): Reply {
  return { kind: "json", body, ...options };
}
