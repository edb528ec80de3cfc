import type { Attributes, HttpAttributes, RequestLine } from "../model/index.ts";
import { foldAscii } from "../path/characters.ts";
import { foldPattern } from "./pattern.ts";
import type { Truth } from "./truth.ts";

/** What request lines look at. */
export type RequestView =
  | { readonly kind: "tcp"; readonly port: number }
  | {
      readonly kind: "http";
      readonly method: string;
      /** Decoded canonical segments; absent where the path was refused, so that every path predicate is unknown. */
      readonly segments: readonly string[] | undefined;
      readonly upgrade: string | undefined;
      readonly grpc: GrpcTruth;
    };

/** Whether a request may be read as gRPC by somebody, and whether everybody reads it so. */
export interface GrpcTruth {
  readonly maybe: Truth;
  readonly surely: Truth;
}

const NOT_GRPC: GrpcTruth = Object.freeze({ maybe: false, surely: false });
const SURELY_GRPC: GrpcTruth = Object.freeze({ maybe: true, surely: true });
const UNKNOWN_GRPC: GrpcTruth = Object.freeze({ maybe: "unknown", surely: "unknown" });

/** What request lines look at, of attributes whose path reads `segments`. */
export function requestView(attributes: Attributes, segments: readonly string[] | undefined): RequestView {
  const { http } = attributes;
  if (http === undefined) return { kind: "tcp", port: attributes.listener.port };
  return {
    kind: "http",
    method: http.method,
    segments,
    upgrade: http.upgrade,
    grpc: attributes.unrecorded === undefined ? grpcTruth(http, attributes.withheldHeaders) : recordedGrpc(attributes),
  };
}

function recordedGrpc({ http, unrecorded }: Attributes): GrpcTruth {
  if (http?.method !== "POST") return NOT_GRPC;
  const known = unrecorded?.grpc;
  return known === undefined ? UNKNOWN_GRPC : known ? SURELY_GRPC : NOT_GRPC;
}

/**
 * Whether a request is gRPC: `POST`, and a content type that is exactly `application/grpc` or goes on with `+` or `;`.
 *
 * SECURITY: no HTTP line of an allow matches what any server might take for gRPC (any value, any case, between commas);
 * a `grpc` line of an allow matches only what every server takes for gRPC.
 */
export function grpcTruth(http: HttpAttributes, withheld: ReadonlySet<string> | undefined): GrpcTruth {
  if (http.method !== "POST") return NOT_GRPC;
  if (withheld?.has("content-type")) return UNKNOWN_GRPC;
  const values = http.headers.get("content-type");
  if (values === undefined || values.length === 0) return NOT_GRPC;
  const maybe = values.some((value) => value.split(",").some((piece) => isGrpcType(piece.trim().toLowerCase())));
  return maybe ? { maybe, surely: values.every(isGrpcType) } : NOT_GRPC;
}

/** Whether everybody, or nobody, reads a request as gRPC; undefined where readers differ, the type is withheld, or it is a connection. */
export function isGrpc({ http, withheldHeaders }: Attributes): boolean | undefined {
  if (http === undefined) return undefined;
  const { maybe, surely } = grpcTruth(http, withheldHeaders);
  return maybe === surely && maybe !== "unknown" ? maybe : undefined;
}

function isGrpcType(value: string): boolean {
  return /^application\/grpc(?:$|[+;])/.test(value);
}

/** A request line as it reads for a workload whose paths are case-insensitive. */
export function foldLine(line: RequestLine): RequestLine {
  switch (line.kind) {
    case "http":
    case "websocket":
      return { ...line, path: foldPattern(line.path) };
    case "grpc":
      return { ...line, service: foldAscii(line.service), method: line.method === "*" ? "*" : foldAscii(line.method) };
    case "tcp":
      return line;
  }
}
