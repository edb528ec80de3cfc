import type { SpiffeId } from "../../spiffe/index.ts";
import type { Attributes, HttpAttributes, Listen, TokenState, Workload } from "../model/index.ts";
import type { Part } from "./dimension.ts";
import type { Example } from "./examples.ts";

/** What an example leaves open. */
export interface ExampleContext {
  readonly kind: "http" | "tcp";
  /** Absent for an anonymous caller, who comes by an edge listener. */
  readonly caller: SpiffeId | undefined;
  readonly workload: Workload;
  /** JWT providers, which all ran. */
  readonly providers: readonly string[];
  readonly now: Date;
}

interface Draft {
  method: string;
  upgrade: string | undefined;
  path: string;
  host: string;
  port: number | undefined;
  now: Date;
  address: string | undefined;
  malformed: boolean;
  readonly headers: Map<string, readonly string[]>;
  readonly withheld: Set<string>;
  readonly query: string[];
  readonly claims: Map<string, TokenState | "not-run">;
  readonly payloads: Map<string, Record<string, unknown>>;
}

const TOKEN_SECONDS = 60;

/** The attributes of an example: what a sidecar would say of such a request. */
export function attributesOfExample(example: Example | null, context: ExampleContext): Attributes {
  const { workload, caller, kind } = context;
  const draft: Draft = {
    method: "GET",
    upgrade: undefined,
    path: "/",
    host: workload.sidecar?.address ?? workload.name,
    port: undefined,
    now: context.now,
    address: undefined,
    malformed: false,
    headers: new Map(),
    withheld: new Set(),
    query: [],
    claims: new Map(context.providers.map((provider) => [provider, { kind: "absent" }])),
    payloads: new Map(),
  };
  for (let at = example ?? undefined; at !== undefined; at = at.rest) apply(draft, at.part);
  return {
    ...(caller === undefined ? {} : { caller }),
    destination: workload.identity,
    ...(draft.address === undefined ? {} : { peerAddress: draft.address }),
    listener: { port: draft.port ?? portOf(context), kind: caller === undefined ? "edge" : "mesh" },
    ...(kind === "tcp" ? { tcp: {} } : { http: httpOf(draft) }),
    claims: claimsOf(draft),
    ...(draft.withheld.size === 0 ? {} : { withheldHeaders: draft.withheld }),
    now: draft.now,
  };
}

function apply(draft: Draft, part: Part): void {
  switch (part.kind) {
    case "shape":
      draft.method = part.method;
      draft.upgrade = part.upgrade;
      return;
    case "path":
      draft.path = part.raw;
      return;
    case "port":
      draft.port = part.port;
      return;
    case "host":
      draft.host = part.host;
      return;
    case "time":
      draft.now = new Date(part.at);
      return;
    case "address":
      draft.address = part.address;
      return;
    case "header":
      if (part.values === undefined) draft.withheld.add(part.name);
      else if (part.values.length > 0) draft.headers.set(part.name, part.values);
      return;
    case "query-form":
      draft.malformed = part.malformed;
      return;
    case "query":
      for (const value of part.values) draft.query.push(`${encode(part.name)}=${encode(value)}`);
      return;
    default:
      applyToken(draft, part);
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function applyToken(draft: Draft, part: Extract<Part, { readonly kind: "token" | "scopes" | "claim" }>): void {
  const payload = draft.payloads.get(part.provider) ?? {};
  draft.payloads.set(part.provider, payload);
  if (part.kind === "token") {
    const { state } = part;
    draft.claims.set(
      part.provider,
      state === "verified" ? { kind: state, payload } : state === "absent" ? { kind: state } : state,
    );
  } else if (part.kind === "claim") {
    if (part.value !== undefined) payload[part.name] = part.value;
  } else Object.assign(payload, part.claims);
}

function claimsOf({ claims, now }: Draft): ReadonlyMap<string, TokenState> {
  const found = new Map<string, TokenState>();
  for (const [provider, state] of claims) {
    if (state === "not-run") continue;
    const exp = Math.floor(now.getTime() / 1_000) + TOKEN_SECONDS;
    found.set(provider, state.kind === "verified" ? { kind: "verified", payload: { exp, ...state.payload } } : state);
  }
  return found;
}

function httpOf({ method, upgrade, path, host, headers, query, malformed }: Draft): HttpAttributes {
  const text = malformed ? "?%" : query.length === 0 ? "" : `?${query.join("&")}`;
  return {
    method,
    path: `${path}${text}`,
    host,
    headers,
    protocol: upgrade === undefined ? "HTTP/2" : "HTTP/1.1",
    ...(upgrade === undefined ? {} : { upgrade }),
  };
}

/** The first listener of the sidecar that such a request can arrive at. */
function portOf({ kind, caller, workload }: ExampleContext): number {
  const fits = ({ protocol, clients }: Listen): boolean =>
    protocol === kind && (clients === "public") === (caller === undefined);
  return workload.sidecar?.listens.find(fits)?.port ?? (kind === "http" ? 8443 : 5432);
}
