import { isIP } from "node:net";
import type { Attributes, HttpAttributes, Listen, PolicySet, TokenState, Workload } from "../../policies/index.ts";
import { parseSpiffeId, type SpiffeId } from "../../spiffe/index.ts";
import { CliError } from "../cli-error.ts";
import { findWorkload } from "./find-workload.ts";
import type { ExplainOptions } from "./options.ts";
import { type Header, readHeader, readPort, readRequest, type WrittenRequest } from "./read-request.ts";

/** Options that say who asks whom. */
export type RequestOptions = ExplainOptions & { readonly from: string; readonly to: string };

/** What a sidecar would have handed to the decision for this command line; `ERR_CLI_USAGE`. */
export function buildAttributes(
  request: string,
  options: RequestOptions,
  context: { readonly set: PolicySet; readonly now: Date },
): Attributes {
  const { set } = context;
  const written = readRequest(request);
  const destination = findWorkload(options.to, set);
  const caller = callerOf(options.from, set);
  const listener = listenerOf(written, { destination, options, anonymous: caller === undefined });
  return {
    ...(caller === undefined ? {} : { caller }),
    destination: destination.identity,
    ...(options.address === undefined ? {} : { peerAddress: addressOf(options.address) }),
    listener,
    ...(written.kind === "tcp" ? { tcp: {} } : { http: httpOf(written, destination, options) }),
    claims: claimsOf(options.claims, set),
    now: instantOf(options.at, context.now),
  };
}

/** An identity that no Workload names may still be asked about: the answer says that it is none. */
function callerOf(from: string, set: PolicySet): SpiffeId | undefined {
  if (from === "anonymous") return undefined;
  return from.includes("://") ? parseSpiffeId(from) : findWorkload(from, set).identity;
}

interface ListenerChoice {
  readonly destination: Workload;
  readonly options: ExplainOptions;
  readonly anonymous: boolean;
}

/** The listener that the request would arrive at: the port that was named, else the first of the sidecar that fits. */
function listenerOf(
  written: WrittenRequest,
  { destination, options, anonymous }: ListenerChoice,
): Attributes["listener"] {
  const listens = destination.sidecar?.listens ?? [];
  const named = options.port === undefined ? undefined : readPort(options.port);
  const port = named ?? (written.kind === "tcp" ? written.port : undefined);
  const fits = (listen: Listen): boolean =>
    listen.protocol === written.kind &&
    (listen.clients === "public") === anonymous &&
    (port ?? listen.port) === listen.port;
  const kind = anonymous ? "edge" : "mesh";
  return { port: listens.find(fits)?.port ?? port ?? DEFAULT_PORTS[written.kind], kind };
}

/** Where the user brings the Envoy configuration, no listener is known. */
const DEFAULT_PORTS = { http: 443, tcp: 1 } as const;

type HttpRequest = Extract<WrittenRequest, { readonly kind: "http" }>;

function httpOf(written: HttpRequest, destination: Workload, options: ExplainOptions): HttpAttributes {
  const headers = new Map<string, string[]>();
  const given = options.header.map(readHeader);
  const own = written.headers.filter(([name]) => !given.some(([each]) => each === name));
  for (const [name, value] of [...own, ...given]) headers.set(name, [...(headers.get(name) ?? []), value]);
  const upgrade = written.upgrade ?? upgradeOf(given);
  return {
    method: written.method,
    path: written.path,
    host: options.host ?? destination.sidecar?.address ?? destination.name,
    headers,
    protocol: upgrade === undefined ? "HTTP/2" : "HTTP/1.1",
    ...(upgrade === undefined ? {} : { upgrade }),
  };
}

function upgradeOf(headers: readonly Header[]): string | undefined {
  return headers.find(([name]) => name === "upgrade")?.[1].toLowerCase();
}

function addressOf(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not an IP address`);
}

/** Providers of the mesh without a token on the command line saw none. */
function claimsOf(texts: readonly string[], set: PolicySet): ReadonlyMap<string, TokenState> {
  const claims = new Map<string, TokenState>(
    [...set.mesh.jwtProviders.keys()].map((name) => [name, { kind: "absent" }]),
  );
  for (const text of texts) {
    const [, provider = "", payload = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (!claims.has(provider)) {
      throw new CliError("ERR_CLI_USAGE", `the mesh has no JWT provider \`${provider || text}\``, {
        hint: `write \`--claims provider={"sub":"…"}\`; providers: ${[...claims.keys()].join(", ") || "none"}`,
      });
    }
    claims.set(provider, { kind: "verified", payload: parsePayload(payload) });
  }
  return claims;
}

function parsePayload(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a JSON object`);
}

function instantOf(text: string | undefined, now: Date): Date {
  if (text === undefined) return now;
  const at = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(at.getTime())) return at;
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not an instant`, { hint: "write 2027-01-31T12:00:00Z" });
}
