import { parseSpiffeId } from "../../spiffe/index.ts";
import type { Attributes, HttpAttributes, PolicySet, TokenState, Workload } from "../model/index.ts";
import type { TestCase } from "./test-case.ts";

/** Headers that generated sidecars keep from the decision unless `checkHeaders` names them. */
const WITHHELD = ["authorization", "cookie", "proxy-authorization"];

/** How long a case's token is valid where it has no `exp`, in seconds. */
const TOKEN_SECONDS = 3_600;

/** A request as tests write it, its references looked up. */
export interface Asked {
  readonly destination: Workload;
  /** The caller's identity; absent for an anonymous one. */
  readonly identity: string | undefined;
  /** `GET /orders/42`, `grpc a.B/C`, `websocket /live`, `tcp 5432`. */
  readonly request: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly address?: string | undefined;
  /** Payloads by JWT provider. */
  readonly claims: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly at?: Date | undefined;
}

/** What a sidecar would have handed to the decision for a case (docs/policy-language.md, "PolicyTest"). */
export function attributesOfCase(testCase: TestCase, set: PolicySet, now: Date): Attributes {
  const { destination, identity, written } = testCase;
  const asked: Asked = {
    destination,
    identity,
    request: written.request.value,
    headers: new Map(written.headers?.value.map(({ key, value }) => [key.text, value])),
    host: written.host?.value,
    port: written.port?.value,
    address: written.address?.value,
    claims: new Map(written.claims?.value.map(({ key, value }) => [key.text, value])),
    at: written.at?.value,
  };
  return attributesOfAsked(asked, set, now);
}

/** The same for a request that no document holds. */
export function attributesOfAsked(asked: Asked, set: PolicySet, now: Date): Attributes {
  const { destination, identity, address } = asked;
  const request = readRequest(asked.request);
  const at = asked.at ?? now;
  const withheld = withheldBy(destination);
  return {
    ...(identity === undefined ? {} : { caller: parseSpiffeId(identity) }),
    destination: destination.identity,
    ...(address === undefined ? {} : { peerAddress: address }),
    listener: listenerOf(asked, request),
    ...(request.kind === "tcp" ? { tcp: {} } : { http: httpOf(asked, request) }),
    claims: claimsOf(asked, set, at),
    ...(withheld.size === 0 ? {} : { withheldHeaders: withheld }),
    now: at,
  };
}

/** What generated sidecars of a workload do not send to the decision. */
function withheldBy({ sidecar }: Workload): ReadonlySet<string> {
  return new Set(sidecar === undefined ? [] : WITHHELD.filter((name) => !sidecar.checkHeaders.includes(name)));
}

type Request =
  | { readonly kind: "tcp"; readonly port: number }
  | {
      readonly kind: "http";
      readonly form: "plain" | "grpc" | "websocket";
      readonly method: string;
      readonly path: string;
    };

/** The reader of PolicyTests has let nothing else through. */
function readRequest(text: string): Request {
  const [word = "", rest = ""] = text.split(" ");
  if (word === "tcp") return { kind: "tcp", port: Number(rest) };
  if (word === "grpc") return { kind: "http", form: "grpc", method: "POST", path: `/${rest}` };
  if (word === "websocket") return { kind: "http", form: "websocket", method: "GET", path: rest };
  return { kind: "http", form: "plain", method: word, path: rest };
}

/** The listener that the request arrives at: the port named, else the sidecar's first that fits, else the usual one. */
function listenerOf({ destination, identity, port: named }: Asked, request: Request): Attributes["listener"] {
  const edge = identity === undefined;
  const port = named ?? (request.kind === "tcp" ? request.port : undefined);
  const fitting = destination.sidecar?.listens.find(
    (listen) => listen.protocol === request.kind && (listen.clients === "public") === edge,
  );
  return { port: port ?? fitting?.port ?? 443, kind: edge ? "edge" : "mesh" };
}

function httpOf(
  { destination, headers: given, host }: Asked,
  request: Extract<Request, { kind: "http" }>,
): HttpAttributes {
  const headers = new Map<string, readonly string[]>();
  if (request.form === "grpc") headers.set("content-type", ["application/grpc"]);
  for (const [name, values] of given) headers.set(name, values.map(latin1));
  const websocket = request.form === "websocket";
  return {
    method: request.method,
    path: latin1(request.path),
    host: host ?? destination.sidecar?.address ?? destination.name,
    headers,
    protocol: websocket ? "HTTP/1.1" : "HTTP/2",
    ...(websocket ? { upgrade: "websocket" } : {}),
  };
}

/** Bytes of the UTF-8 text, one a character, as they arrive. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function claimsOf({ claims: given }: Asked, set: PolicySet, at: Date): ReadonlyMap<string, TokenState> {
  const claims = new Map<string, TokenState>();
  for (const name of set.mesh.jwtProviders.keys()) claims.set(name, { kind: "absent" });
  const exp = Math.floor(at.getTime() / 1_000) + TOKEN_SECONDS;
  for (const [provider, payload] of given) claims.set(provider, { kind: "verified", payload: { exp, ...payload } });
  return claims;
}
