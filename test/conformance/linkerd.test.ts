import { describe, expect, it } from "vitest";
import type { RequestScope } from "../../policies/interop/index.ts";
import { exactShare, type ImportCase, isHonest, type Judged, judge, table } from "./import-case.ts";
import { rows } from "./rows.ts";

type Headers = Readonly<Record<string, readonly string[]>>;
interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Headers;
  readonly clientIp?: string;
}
type Match = Readonly<Record<string, unknown>>;
interface Authorized {
  readonly match: Match;
  readonly authorizations: readonly { readonly authentication: string; readonly networks: readonly string[] }[];
}
type Row = { readonly id: string; readonly expected: unknown } & (
  | { readonly kind: "path"; readonly input: { readonly path_match: Match; readonly path: string } }
  | { readonly kind: "host"; readonly input: { readonly host_match: string; readonly host: string } }
  | { readonly kind: "header"; readonly input: { readonly header_match: Match; readonly headers: Headers } }
  | { readonly kind: "query"; readonly input: { readonly query_match: Match; readonly path: string } }
  | { readonly kind: "route"; readonly input: { readonly match: Match; readonly request: Request } }
  | { readonly kind: "grpc"; readonly input: { readonly grpc_match: Match; readonly request: Request } }
  | {
      readonly kind: "precedence";
      readonly input: {
        readonly routes: readonly { readonly hosts?: readonly string[]; readonly matches: readonly Match[] }[];
        readonly request: Request;
      };
    }
  | {
      readonly kind: "authz";
      readonly input: { readonly policy: { readonly routes: readonly Authorized[] }; readonly request: Request };
    }
);

const SERVER = {
  apiVersion: "policy.linkerd.io/v1beta3",
  kind: "Server",
  metadata: { name: "testsrv", namespace: "default" },
  spec: { podSelector: { matchLabels: { app: "testsrv" } }, port: 443 },
};
const callers = ["c0", "c1", "c2", "c3", "c4"];
const OPTIONS = {
  workloads: [
    { namespace: "default", name: "testsrv", labels: { app: "testsrv" }, ports: [443] },
    ...callers.map((name) => ({ namespace: "default", name, labels: {} })),
  ],
};

function route(
  kind: "HTTPRoute" | "GRPCRoute",
  name: string,
  matches: readonly Match[],
  hostnames?: readonly string[],
): unknown {
  return {
    apiVersion: "policy.linkerd.io/v1beta3",
    kind,
    metadata: { name, namespace: "default" },
    spec: {
      parentRefs: [{ group: "policy.linkerd.io", kind: "Server", name: "testsrv" }],
      ...(hostnames === undefined ? {} : { hostnames }),
      rules: [{ matches }],
    },
  };
}

function authorization(name: string, target: readonly [string, string], refs: readonly unknown[]): unknown {
  return {
    apiVersion: "policy.linkerd.io/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "default" },
    spec: { targetRef: { kind: target[0], name: target[1] }, requiredAuthenticationRefs: refs },
  };
}

const account = (name: string): unknown => ({ kind: "ServiceAccount", name });
const openTo = (kind: "HTTPRoute" | "GRPCRoute", of: string, caller: string): unknown =>
  authorization(`${of}-${caller}`, [kind, of], [account(caller)]);

function scopesOf({ headers = {}, path = "/" }: Request, grpc: boolean): readonly RequestScope[] {
  const query = [...new URLSearchParams(path.split("?")[1] ?? "").keys()];
  return [
    ...(Object.values(headers).some((values) => values.length > 1 || values.some((value) => value.includes(",")))
      ? (["list-header"] as const)
      : []),
    ...(new Set(query).size < query.length ? (["list-query"] as const) : []),
    ...(/[0-9]{20}/.test(path) ? (["long-number"] as const) : []),
    ...(grpc ? (["grpc"] as const) : []),
  ];
}

function casesOf(row: Row): readonly ImportCase[] {
  switch (row.kind) {
    case "path":
      return [matched(row, { path: row.input.path_match }, { path: row.input.path })];
    case "host":
      return [matched(row, {}, { host: row.input.host }, [row.input.host_match])];
    case "header":
      return [matched(row, { headers: [row.input.header_match] }, { headers: row.input.headers })];
    case "query":
      return [matched(row, { queryParams: [row.input.query_match] }, { path: row.input.path })];
    case "route":
      return [matched(row, row.input.match, row.input.request)];
    case "grpc":
      return [matched(row, { method: row.input.grpc_match }, row.input.request, undefined, "GRPCRoute")];
    case "precedence":
      return row.input.routes.map((_, at) => preferred(row, at));
    case "authz":
      return [authorized(row)];
  }
}

function matched(
  { id, expected }: Row,
  match: Match,
  request: Request,
  hosts?: readonly string[],
  kind: "HTTPRoute" | "GRPCRoute" = "HTTPRoute",
): ImportCase {
  const documents = [SERVER, route(kind, "r0", [match], hosts), openTo(kind, "r0", "c0")];
  return caseOf(id, documents, request, "default/c0", expected === "match", kind === "GRPCRoute");
}

function caseOf(
  id: string,
  documents: readonly unknown[],
  request: Request,
  from: string,
  allow: boolean,
  grpcRoute = false,
): ImportCase {
  const { method = "GET", path = "/", host, headers = {}, clientIp } = request;
  const grpc = grpcRoute && method === "POST";
  return {
    id,
    format: "linkerd",
    documents,
    options: { ...OPTIONS, hosts: host === undefined ? [] : [host] },
    request: {
      from,
      to: "default/testsrv",
      port: 443,
      request: grpc ? `grpc ${path.slice(1)}` : `${method} ${path}`,
      headers,
      ...(host === undefined ? {} : { host }),
      ...(clientIp === undefined ? {} : { address: clientIp }),
    },
    scopes: scopesOf(request, grpc),
    expected: allow ? "allow" : "deny",
  };
}

/** Every route is open to a caller of its own, so that who is let in tells which route was taken. */
function preferred(row: Extract<Row, { kind: "precedence" }>, at: number): ImportCase {
  const { routes, request } = row.input;
  const documents = routes.flatMap(({ matches, hosts }, index) => [
    route("HTTPRoute", `r${index}`, matches, hosts),
    openTo("HTTPRoute", `r${index}`, `c${index}`),
  ]);
  const taken = JSON.stringify(row.expected) === JSON.stringify({ route: at });
  return caseOf(`${row.id} as c${at}`, [SERVER, ...documents], request, `default/c${at}`, taken);
}

function authorized(row: Extract<Row, { kind: "authz" }>): ImportCase {
  const { policy, request } = row.input;
  const documents = policy.routes.flatMap(({ match, authorizations }, index) => [
    route("HTTPRoute", `r${index}`, [match]),
    ...authorizations.flatMap(({ authentication, networks }, number) => {
      const name = `r${index}-a${number}`;
      const network = {
        kind: "NetworkAuthentication",
        metadata: { name, namespace: "default" },
        spec: { networks: networks.map((cidr) => ({ cidr })) },
      };
      const identity = {
        kind: "MeshTLSAuthentication",
        metadata: { name, namespace: "default" },
        spec: { identities: ["*"] },
      };
      const refs = [network, ...(authentication === "unauthenticated" ? [] : [identity])];
      return [
        ...refs,
        authorization(
          name,
          ["HTTPRoute", `r${index}`],
          refs.map(({ kind }) => ({ kind, name })),
        ),
      ];
    }),
  ]);
  return caseOf(row.id, [SERVER, ...documents], request, "anonymous", row.expected === "allow");
}

describe("policy resources of Linkerd", () => {
  const all = rows<Row>("linkerd/route-match.jsonl");
  const judgedBy = (kinds: readonly Row["kind"][]): readonly Judged[] =>
    all
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(casesOf)
      .map(judge);
  const matching = judgedBy(["path", "host", "header", "query", "route", "grpc", "precedence"]);
  const authorizing = judgedBy(["authz"]);

  it.each([...matching, ...authorizing].map((one) => [one.id, one] as const))(
    "%s: the report's claim holds",
    (_id, one) => {
      expect({ ...one, honest: isHonest(one) }).toEqual({ ...one, honest: true });
    },
  );

  it("calls at least 95 % of the authorizations exact", () => {
    process.stdout.write(`${table("linkerd authorization", authorizing)}\n${table("linkerd matching", matching)}\n`);
    expect(exactShare(authorizing)).toBeGreaterThanOrEqual(0.95);
    expect(exactShare(matching)).toBeGreaterThanOrEqual(0.85);
  });
});
