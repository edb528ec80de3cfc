import { type SpiffeId, tryParseSpiffeId } from "../../spiffe/index.ts";
import type { Attributes, HttpAttributes, PathOptions, Unrecorded } from "../model/index.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

/** What a record tells of its request, or why it tells too little. */
export type RecordedAttributes =
  | { readonly ok: true; readonly attributes: Attributes }
  | { readonly ok: false; readonly why: string };

/** What reading records back needs to know. */
export interface ReadBack {
  readonly now: Date;
  /** How the destination's paths are read now; absent where the set does not know it. */
  readonly pathsOf: (destination: string) => PathOptions | undefined;
  /** Reads an identity; undefined where it is none. */
  readonly identity: (text: string) => SpiffeId | undefined;
}

/** Stands for a host that was fine: what it was is unknown. */
const SOME_HOST = "unrecorded.invalid";
/** Stand for a path and a host that were refused: they are refused again. */
const REFUSED_PATH = "";
const REFUSED_HOST = "";

const NO_HEADERS: ReadonlyMap<string, readonly string[]> = new Map();

/** The request of a record, host, headers, query and token unknown. */
export function recordedAttributes(record: RecordedDecision, read: ReadBack): RecordedAttributes {
  const destination = read.identity(record.destination);
  if (destination === undefined) return { ok: false, why: "the destination is no SPIFFE ID" };
  const caller = record.caller === undefined ? undefined : read.identity(record.caller);
  if (record.caller !== undefined && caller === undefined) return { ok: false, why: cut("caller") };
  const http = httpOf(record, read.pathsOf(record.destination));
  if (typeof http === "string") return { ok: false, why: http };
  const attributes: Draft<Attributes> = {
    destination,
    listener: { port: record.listenerPort, kind: record.listenerKind ?? "mesh" },
    unrecorded: unrecordedOf(record),
    now: read.now,
  };
  if (caller !== undefined) attributes.caller = caller;
  else if (record.reason === "malformed-identity") attributes.callerProblem = record.detail ?? "no identity";
  if (record.peerAddress !== undefined) attributes.peerAddress = record.peerAddress;
  if (http === undefined) attributes.tcp = {};
  else attributes.http = http;
  return { ok: true, attributes };
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

function httpOf(record: RecordedDecision, paths: PathOptions | undefined): HttpAttributes | string | undefined {
  const { method, path, upgrade } = record;
  if (method === undefined) return undefined;
  if (path?.endsWith("…")) return cut("path");
  if (path === undefined && mayBeReadNow(record, paths))
    return "the path was refused, is not in the record, and may be read now";
  const http: Draft<HttpAttributes> = {
    method,
    path: path ?? REFUSED_PATH,
    host: record.reason === "ambiguous-host" ? REFUSED_HOST : SOME_HOST,
    headers: NO_HEADERS,
    protocol: "HTTP/2",
  };
  if (upgrade !== undefined) http.upgrade = upgrade;
  return http;
}

/** Whether a workload's own settings may have been what refused a path, and no longer are. */
function mayBeReadNow({ detail, reason }: RecordedDecision, paths: PathOptions | undefined): boolean {
  if (paths === undefined) return false;
  const refusal = reason === "ambiguous-path" ? detail : undefined;
  if (refusal === "non-ascii") return !paths.caseInsensitive;
  return (refusal === undefined || refusal === "path-parameter") && paths.matrixParameters === "ignore";
}

/** Where the record does not say it, the deciding line of an allow tells whether the request was gRPC: no other line of an allow matches such a one. */
function unrecordedOf({ grpc, line, reason }: RecordedDecision): Unrecorded {
  if (grpc !== undefined) return grpc ? GRPC : NO_GRPC;
  if (line === undefined || reason !== "allowed-by-rule") return NOTHING_TOLD;
  return line.startsWith("grpc ", line.indexOf("#") + 1) ? GRPC : NO_GRPC;
}

const NOTHING_TOLD: Unrecorded = Object.freeze({});
const GRPC: Unrecorded = Object.freeze({ grpc: true });
const NO_GRPC: Unrecorded = Object.freeze({ grpc: false });

function cut(what: string): string {
  return `the ${what} is not whole in the record`;
}

/** Reads identities, each text once while there are not too many. */
export function identityReader(capacity = 50_000): (text: string) => SpiffeId | undefined {
  const known = new Map<string, SpiffeId | undefined>();
  return (text) => {
    if (known.has(text)) return known.get(text);
    if (known.size >= capacity) known.clear();
    const read = tryParseSpiffeId(text);
    const id = read.ok ? read.id : undefined;
    known.set(text, id);
    return id;
  };
}
