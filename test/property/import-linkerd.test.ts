import { describe, expect, it } from "vitest";
import { isHonest, judge } from "../conformance/import-case.ts";
import { Random, runCount, runSeed } from "./random.ts";

// Routes and authorizations against a restatement of Linkerd's semantics that looks for the best match of each request.

interface PathMatch {
  readonly type: "Exact" | "PathPrefix" | "RegularExpression";
  readonly value: string;
}
interface ValueMatch {
  readonly name: string;
  readonly type: "Exact" | "RegularExpression";
  readonly value: string;
}
interface Match {
  readonly path?: PathMatch;
  readonly method?: string;
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
}
interface Route {
  readonly name: string;
  readonly hostnames?: readonly string[];
  readonly matches: readonly Match[];
}
interface Authorization {
  readonly target: readonly [kind: "Server" | "HTTPRoute" | "Namespace", name: string];
  /** Absent: everybody. */
  readonly caller?: string;
}
interface Request {
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

const CALLERS = ["c0", "c1", "c2"];
const PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a/1", "/b", "/a?q=1", "/a/b?q=2", "/b?q=1"];
const METHODS = ["GET", "HEAD", "POST"];

function pathOf(random: Random): PathMatch {
  return random.pick<PathMatch>([
    { type: "Exact", value: random.pick(["/", "/a", "/a/", "/a/b"]) },
    { type: "PathPrefix", value: random.pick(["/", "/a", "/a/", "/a/b"]) },
    { type: "RegularExpression", value: random.pick(["/a/[0-9]+", "/a/.*", "/a|/ab", "/ab|/a", "/[ab]", "/a/[^/]+"]) },
  ]);
}

function valueMatchOf(random: Random, name: string, values: readonly string[]): ValueMatch {
  if (random.chance(0.7)) return { name, type: "Exact", value: random.pick(values) };
  return { name, type: "RegularExpression", value: random.pick(["1|2", "1+", "1.*", "12?"]) };
}

function matchOf(random: Random): Match {
  const path = random.maybe(0.7, () => pathOf(random));
  const method = random.maybe(0.4, () => random.pick(METHODS));
  const headers = random.maybe(0.3, () =>
    random.list(1, 1, () => valueMatchOf(random, random.pick(["x", "y"]), ["1", "2"])),
  );
  const queryParams = random.maybe(0.2, () => [valueMatchOf(random, "q", ["1", "2"])]);
  return {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(queryParams === undefined ? {} : { queryParams }),
  };
}

function routesOf(random: Random): readonly Route[] {
  return random
    .list(0, 3, () => random.maybe(0.2, () => random.list(1, 2, () => random.pick(["one.example", "two.example"]))))
    .map((hostnames, index) => ({
      name: `r${index}`,
      ...(hostnames === undefined ? {} : { hostnames: [...new Set(hostnames)] }),
      matches: random.list(1, 2, () => matchOf(random)),
    }));
}

function authorizationsOf(random: Random, routes: readonly Route[]): readonly Authorization[] {
  return random.list(0, 3, (): Authorization => {
    const targets: Authorization["target"][] = [
      ["Server", "s"],
      ["Server", "other"],
      ["Namespace", "default"],
      ...routes.flatMap(({ name }) => [["HTTPRoute", name] as const, ["HTTPRoute", name] as const]),
    ];
    const caller = random.maybe(0.85, () => random.pick(CALLERS));
    return { target: random.pick(targets), ...(caller === undefined ? {} : { caller }) };
  });
}

function requestOf(random: Random): Request {
  const headers = ["x", "y"].flatMap((name) =>
    random.chance(0.5) ? [[name, random.pick(["1", "2", "11", "12"])] as const] : [],
  );
  return {
    caller: random.pick(CALLERS),
    method: random.pick(METHODS),
    path: random.pick(PATHS),
    host: random.pick(["one.example", "two.example", "three.example"]),
    headers: Object.fromEntries(headers),
  };
}

function verdictOf(
  routes: readonly Route[],
  authorizations: readonly Authorization[],
  request: Request,
): "allow" | "deny" {
  const best = bestRoute(routes, request);
  if (routes.length > 0 && best === undefined) return "deny";
  const admitted = authorizations.some(
    ({ target: [kind, name], caller }) =>
      (kind !== "HTTPRoute" || name === best) &&
      name !== "other" &&
      (caller === undefined || caller === request.caller),
  );
  return admitted ? "allow" : "deny";
}

/** The route of the most precise match; the first of equals. */
function bestRoute(routes: readonly Route[], request: Request): string | undefined {
  let best: { readonly name: string; readonly rank: readonly number[] } | undefined;
  for (const { name, hostnames, matches } of routes) {
    const host = hostnames === undefined ? 0 : hostnames.includes(request.host) ? 1 : undefined;
    if (host === undefined) continue;
    for (const match of matches) {
      const rank = rankOf(match, request);
      if (rank === undefined) continue;
      const full = [host, ...rank];
      if (best === undefined || isMore(full, best.rank)) best = { name, rank: full };
    }
  }
  return best?.name;
}

function isMore(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}

function rankOf(
  { path, method, headers = [], queryParams = [] }: Match,
  request: Request,
): readonly number[] | undefined {
  const [bare = "", query = ""] = request.path.split("?");
  const length = path === undefined ? 0 : matchedLength(path, bare);
  if (length === undefined || (method !== undefined && method !== request.method)) return undefined;
  if (!headers.every((one) => holds(one, request.headers[one.name]))) return undefined;
  if (!queryParams.every((one) => holds(one, new URLSearchParams(query).get(one.name) ?? undefined))) return undefined;
  return [length, headers.length, queryParams.length, method === undefined ? 0 : 1];
}

function matchedLength({ type, value }: PathMatch, path: string): number | undefined {
  if (type === "Exact") return path === value ? path.length : undefined;
  if (type === "RegularExpression") return covers(value, path) ? path.length : undefined;
  const trimmed = value.replace(/\/+$/, "");
  return path === trimmed || path.startsWith(`${trimmed}/`) ? value.length : undefined;
}

/** The first match from the left is everything. */
function covers(regex: string, text: string): boolean {
  const found = new RegExp(regex).exec(text);
  return found !== null && found.index === 0 && found[0].length === text.length;
}

function holds({ type, value }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  return type === "Exact" ? given === value : covers(value, given);
}

function documentsOf(routes: readonly Route[], authorizations: readonly Authorization[]): readonly unknown[] {
  const metadata = (name: string): unknown => ({ name, namespace: "default" });
  return [
    ...[
      ["s", 443],
      ["other", 8443],
    ].map(([name, port]) => ({
      kind: "Server",
      metadata: metadata(String(name)),
      spec: { podSelector: { matchLabels: { app: "s" } }, port },
    })),
    ...routes.map(({ name, hostnames, matches }) => ({
      kind: "HTTPRoute",
      metadata: metadata(name),
      spec: {
        parentRefs: [{ kind: "Server", name: "s" }],
        ...(hostnames === undefined ? {} : { hostnames }),
        rules: [{ matches }],
      },
    })),
    ...authorizations.map(({ target: [kind, name], caller }, index) => ({
      kind: "AuthorizationPolicy",
      metadata: metadata(`a${index}`),
      spec: {
        targetRef: { kind, name },
        requiredAuthenticationRefs: caller === undefined ? [] : [{ kind: "ServiceAccount", name: caller }],
      },
    })),
  ];
}

describe("imported policy resources of Linkerd", () => {
  const seed = runSeed();

  it(`decide as Linkerd does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const claims = new Map<string, number>();
    for (let at = 0; at < runCount(500, 40_000); at++) {
      const routes = routesOf(random);
      const [authorizations, request] = [authorizationsOf(random, routes), requestOf(random)];
      const judged = judge({
        id: `${seed}/${at}`,
        format: "linkerd",
        documents: documentsOf(routes, authorizations),
        options: {
          workloads: [
            { namespace: "default", name: "s", labels: { app: "s" } },
            ...CALLERS.map((name) => ({ namespace: "default", name, labels: {} })),
          ],
        },
        request: {
          from: `default/${request.caller}`,
          to: "default/s",
          port: 443,
          request: `${request.method} ${request.path}`,
          host: request.host,
          headers: request.headers,
        },
        scopes: [],
        expected: verdictOf(routes, authorizations, request),
      });
      claims.set(judged.claim, (claims.get(judged.claim) ?? 0) + 1);
      if (!isHonest(judged))
        expect({
          judged,
          request,
          routes: JSON.stringify(routes),
          authorizations: JSON.stringify(authorizations),
        }).toBe("an honest report");
    }
    expect(claims.get("exact") ?? 0).toBeGreaterThan(250);
    process.stdout.write(`linkerd, random: ${JSON.stringify(Object.fromEntries(claims))}\n`);
  });
});
