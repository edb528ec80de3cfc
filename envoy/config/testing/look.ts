import type { EnvoyVersion } from "../../binary/index.ts";
import type { Json, JsonObject } from "../json.ts";
import { type RenderInput, renderSidecar } from "../render-sidecar.ts";

/** The newest version that the tests render for. */
export const NEWEST: EnvoyVersion = { major: 1, minor: 40, patch: 0 };

/** A bootstrap with the sockets of a test. */
export function render(input: Pick<RenderInput, "workload" | "set"> & Partial<RenderInput>): JsonObject {
  const sockets = { authz: "/run/cw/authz.sock", envoy: "/run/cw/envoy.sock" };
  return renderSidecar({ envoyVersion: NEWEST, sockets, adminSocket: "/run/cw/admin.sock", ...input });
}

/** Every value that stands under a key, at any depth, in order. */
export function all(json: Json | undefined, key: string): readonly Json[] {
  if (typeof json !== "object") return [];
  if (isArray(json)) return json.flatMap((item) => all(item, key));
  return Object.entries(json).flatMap(([name, value]) => [...(name === key ? [value] : []), ...all(value, key)]);
}

/** The one value under a key; throws where there is none or more than one. */
export function only(json: Json | undefined, key: string): Json {
  const [first, ...rest] = all(json, key);
  if (first === undefined || rest.length > 0) throw new Error(`${key} is there ${rest.length + (first ? 1 : 0)} times`);
  return first;
}

/** The listener or cluster of that name. */
export function part(json: JsonObject, kind: "listeners" | "clusters", name: string): JsonObject {
  const found = parts(json, kind).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${names(json, kind).join(", ")}`);
  return found;
}

/** Names of all listeners or clusters, in order. */
export function names(json: JsonObject, kind: "listeners" | "clusters"): readonly string[] {
  return parts(json, kind).map(({ name }) => String(name));
}

function parts(json: JsonObject, kind: "listeners" | "clusters"): readonly JsonObject[] {
  const list = only(json.static_resources, kind);
  return isArray(list) ? list.filter(isObject) : [];
}

function isArray(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function isObject(json: Json): json is JsonObject {
  return typeof json === "object" && !isArray(json);
}
