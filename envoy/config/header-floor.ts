import { CALLER_HEADER, PEER_SERIAL_HEADER } from "../wire/check-headers.ts";
import { extension, type JsonObject } from "./json.ts";

/**
 * Headers by which frameworks let a caller replace the method, the path or the host that was authorized. They are removed
 * unless `sidecar.keepOverrideHeaders` names them.
 */
export const OVERRIDE_HEADERS: readonly string[] = [
  "forwarded",
  "x-forwarded-host",
  "x-forwarded-method",
  "x-forwarded-path",
  "x-forwarded-prefix",
  "x-forwarded-server",
  "x-forwarded-uri",
  "x-host",
  "x-http-host-override",
  "x-http-method",
  "x-http-method-override",
  "x-http-path-override",
  "x-method-override",
  "x-original-host",
  "x-original-method",
  "x-original-uri",
  "x-original-url",
  "x-override-url",
  "x-rewrite-uri",
  "x-rewrite-url",
];

/** Headers that do not go to `Check` unless `sidecar.checkHeaders` names them. */
export const WITHHELD_HEADERS: readonly string[] = ["authorization", "cookie", "proxy-authorization"];

/** Prefixes of the headers that only sidecars write. */
const SIDECAR_PREFIXES = ["x-cellwall-", "x-envoy-"];

/** What is removed, and whether the peer's identity is written. */
export interface HeaderFloor {
  /** `sidecar`: only what no app may send, for a listener of the local app. `all`: override headers and request ids as well. */
  readonly removes: "sidecar" | "all";
  /** Override headers that stay. */
  readonly keep: readonly string[];
  readonly identity: "peer" | "none";
}

/**
 * What is done to a request's headers before any filter sees it.
 * SECURITY: first remove, then append: an empty value (no client certificate, no URI SAN) overwrites nothing, and a forged header would stay.
 */
export function earlyHeaderMutation({ removes, keep, identity }: HeaderFloor): JsonObject {
  const removed = [
    ...SIDECAR_PREFIXES.map((prefix) => ({ remove_on_match: { key_matcher: { prefix, ignore_case: true } } })),
    ...(removes === "all" ? removedNames(keep).map((remove) => ({ remove })) : []),
  ];
  const written = identity === "none" ? [] : PEER_HEADERS.map(([key, value]) => overwrite(key, value));
  return extension(
    "envoy.http.early_header_mutation.header_mutation",
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
    { mutations: [...removed, ...written] },
  );
}

/** The request id too: Envoy mints a fresh one, because a caller must not choose the id that the logs correlate by. */
function removedNames(keep: readonly string[]): readonly string[] {
  return ["x-request-id", ...OVERRIDE_HEADERS.filter((name) => !keep.includes(name))];
}

const PEER_HEADERS = [
  [CALLER_HEADER, "%DOWNSTREAM_PEER_URI_SAN%"],
  [PEER_SERIAL_HEADER, "%DOWNSTREAM_PEER_SERIAL%"],
] as const;

function overwrite(key: string, value: string): JsonObject {
  return { append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" } };
}

/** The filter after authorization: the certificate's serial is for `Check` alone. */
export function serialRemoval(): JsonObject {
  return extension(
    "envoy.filters.http.header_mutation",
    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
    { mutations: { request_mutations: [{ remove: PEER_SERIAL_HEADER }] } },
  );
}

/** Headers that a workload's sidecar withholds from `Check`. */
export function withheldHeaders(checkHeaders: readonly string[]): readonly string[] {
  return WITHHELD_HEADERS.filter((name) => !checkHeaders.includes(name));
}
