import type { Attributes, TokenState } from "../../../policies/index.ts";
import { canonicalPath } from "../../../policies/index.ts";
import type { ImportOptions, ImportWorkload, RequestScope } from "../../../policies/interop/index.ts";
import { parseSpiffeId, tryParseSpiffeId } from "../../../spiffe/index.ts";

// A recorded scenario of Istio's, as an import and a decision take it.

export interface Request {
  readonly transport: "http" | "tcp";
  readonly source: { readonly principal: string | null; readonly ip?: string };
  readonly destination: { readonly ip: string; readonly port: number };
  readonly method?: string;
  readonly path?: string;
  readonly rawPath?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly jwt?: {
    readonly claims: Readonly<Record<string, unknown>>;
    readonly claimLists?: Readonly<Record<string, readonly string[]>>;
  } | null;
}

/** The workload that is called. */
export interface SourceWorkload {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Case {
  readonly id: string;
  readonly input: { readonly request: Request; readonly workload?: SourceWorkload };
  readonly expected: "allow" | "deny";
}

/** Policies, and what requests get of them. */
export interface Scenario {
  readonly scenario: string;
  readonly mesh: {
    readonly rootNamespace: string;
    readonly trustDomain: string;
    readonly trustDomainAliases: readonly string[];
  };
  readonly workload: SourceWorkload;
  readonly policies: readonly unknown[];
  readonly cases: readonly Case[];
}

function identityOf(principal: string): string | undefined {
  const id = `spiffe://${principal}`;
  return tryParseSpiffeId(id).ok && principal.includes("/") ? id : undefined;
}

/** The registry of a scenario: the workload called, and everybody of the own trust domain who calls. */
export function optionsOf({ mesh, cases }: Scenario, called: SourceWorkload): ImportOptions {
  const own = `spiffe://${mesh.trustDomain}/`;
  const destination: ImportWorkload = {
    ...called,
    name: "called",
    identity: `${own}ns/${called.namespace}/sa/${called.serviceAccount}`,
    ports: [...new Set(cases.map(({ input }) => input.request.destination.port))],
  };
  const callers = [...new Set(cases.flatMap(({ input }) => identityOf(input.request.source.principal ?? "") ?? []))];
  const domains = callers.map((id) => id.slice("spiffe://".length).split("/")[0] ?? "");
  return {
    trustDomain: mesh.trustDomain,
    trustDomainAliases: mesh.trustDomainAliases,
    rootNamespace: mesh.rootNamespace,
    foreignIdentities: callers.filter((id) => !id.startsWith(own)),
    hosts: cases.flatMap(({ input }) => input.request.host ?? []),
    federation: [...new Set(domains)].filter(
      (name) => name !== mesh.trustDomain && !mesh.trustDomainAliases.includes(name),
    ),
    jwtProviders: issuersOf(cases).map((issuer, index) => ({
      name: `issuer-${index + 1}`,
      issuer,
      audiences: ["any"],
      jwks: { inline: '{"keys":[]}' },
    })),
    workloads: [
      destination,
      ...callers
        .filter((id) => id.startsWith(own) && id !== destination.identity)
        .map((identity, index) => ({ namespace: "callers", name: `caller-${index + 1}`, labels: {}, identity })),
    ],
  };
}

/** The issuers whose tokens the cases carry: the source verified them. */
function issuersOf(cases: readonly Case[]): readonly string[] {
  return [...new Set(cases.flatMap(({ input }) => String(input.request.jwt?.claims.iss ?? "") || []))];
}

/** What a sidecar with these issuers finds. A claim that the source splits at its blanks is a list. */
export function claimsOf({ jwt }: Request, { jwtProviders = [] }: ImportOptions): ReadonlyMap<string, TokenState> {
  const absent: TokenState = { kind: "absent" };
  return new Map(
    jwtProviders.map(({ name, issuer }) => [
      name,
      jwt?.claims.iss === issuer ? { kind: "verified", payload: { ...jwt.claims, ...jwt.claimLists } } : absent,
    ]),
  );
}

/** What a sidecar hands to a decision of a recorded request. */
export function attributesOfCase(
  { source, destination, ...request }: Request,
  to: string,
  claims: ReadonlyMap<string, TokenState>,
): Attributes {
  const caller = source.principal === null ? undefined : identityOf(source.principal);
  return {
    ...(caller === undefined ? {} : { caller: parseSpiffeId(caller) }),
    ...(source.principal !== null && caller === undefined ? { callerProblem: source.principal } : {}),
    destination: parseSpiffeId(to),
    ...(source.ip === undefined ? {} : { peerAddress: source.ip }),
    listener: { port: destination.port, kind: source.principal === null ? "edge" : "mesh" },
    ...(request.transport === "tcp"
      ? { tcp: {} }
      : {
          http: {
            method: request.method ?? "GET",
            path: request.rawPath ?? request.path ?? "/",
            host: request.host ?? "",
            headers: new Map(
              Object.entries(request.headers ?? {}).map(([name, values]) => [name.toLowerCase(), values]),
            ),
            protocol: "HTTP/1.1",
          },
        }),
    claims,
    now: new Date(),
  };
}

/** Whether a principal is the one named, under whichever name of the own trust domain. */
function isLike(principal: string, subject: string | undefined, options: ImportOptions): boolean {
  const names = [options.trustDomain ?? "", ...(options.trustDomainAliases ?? [])];
  const spelled = (text: string): string =>
    names.reduce((one, name) => one.replace(new RegExp(`^${name}/`), "~/"), text);
  return subject === undefined || spelled(principal) === spelled(subject);
}

/** Whether a payload, that of the token's own times aside, holds what is neither a text, a list of texts nor a map of those. */
function hasOddClaim(payload: Readonly<Record<string, unknown>>): boolean {
  const { exp, iat, nbf, ...claims } = payload;
  return Object.entries(claims).some(([name, value]) => {
    if (typeof value === "string") return value === "";
    if (Array.isArray(value)) return value.some((one) => typeof one !== "string");
    const map = typeof value === "object" && value !== null;
    return name.includes(".") || !map || hasOddClaim(value as Readonly<Record<string, unknown>>);
  });
}

/** Which scopes a recorded request is in. */
export function scopesOf(request: Request, options: ImportOptions): (scope: RequestScope, subject?: string) => boolean {
  const headerLists = (name: string | undefined): readonly (readonly string[])[] =>
    Object.entries(request.headers ?? {}).flatMap(([own, list]) =>
      name === undefined || own.toLowerCase() === name ? [list] : [],
    );
  const path = canonicalPath(request.rawPath ?? request.path ?? "/");
  const principal = request.source.principal;
  return (scope, subject): boolean => {
    switch (scope) {
      case "grpc":
        return (request.headers?.["content-type"] ?? []).some((value) => value.startsWith("application/grpc"));
      case "upgrade":
        return request.headers?.upgrade !== undefined;
      case "connection":
        return request.transport === "tcp";
      case "http":
        return request.transport === "http";
      case "token":
        return request.jwt != null;
      case "endless-token":
        return request.jwt != null && typeof request.jwt.claims.exp !== "number";
      case "list-claim":
        return Object.values(request.jwt?.claims ?? {}).some((value) => typeof value !== "string");
      case "odd-claim":
        return hasOddClaim(request.jwt?.claims ?? {});
      case "list-header":
        return headerLists(subject).some(
          (list) => list.length > 1 || list.some((value) => !/^[ -+\--~]*$/.test(value)),
        );
      case "host-with-port":
        return (
          /:\d+$/.test(request.host ?? "") &&
          (subject === undefined || request.host?.toLowerCase().replace(/:\d+$/, "") === subject)
        );
      case "head":
        return request.method === "HEAD";
      case "trailing-slash":
        return !path.ok || path.path.endsWith("/");
      case "foreign":
        return principal !== null && !principal.startsWith(`${options.trustDomain}/`);
      case "anonymous":
        return principal === null;
      case "malformed-identity":
        return principal !== null && identityOf(principal) === undefined && isLike(principal, subject, options);
      case "host":
        // The import was told of all hosts of the cases: what is left of a pattern is about others.
        return options.hosts?.includes(request.host ?? "") !== true;
      case "method":
        return request.method === subject;
      default:
        return false;
    }
  };
}
