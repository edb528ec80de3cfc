import { describe, expect, it } from "vitest";
import { isHonest, judge } from "../conformance/import-case.ts";
import { Random, runCount, runSeed } from "./random.ts";

// Service intentions against a restatement of Consul's semantics that reads them as they are written.

interface Header {
  readonly name: string;
  readonly present?: boolean;
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly regex?: string;
  readonly invert?: boolean;
}
interface Http {
  readonly pathExact?: string;
  readonly pathPrefix?: string;
  readonly pathRegex?: string;
  readonly methods?: readonly string[];
  readonly header?: readonly Header[];
}
interface Permission {
  readonly action: "allow" | "deny";
  readonly http: Http;
}
interface Source {
  readonly name: string;
  readonly action?: "allow" | "deny";
  readonly permissions?: readonly Permission[];
}
interface Entry {
  readonly destination: string;
  readonly sources: readonly Source[];
}
interface Request {
  readonly source: string;
  readonly destination: string;
  readonly tcp: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

const SERVICES = ["a", "b", "c"];
const EXACT = ["/", "/a", "/a/", "/a/b", "/admin", "/v1/x"];
const PREFIXES = ["/", "/a", "/a/", "/adm", "/admin/", "/v", "/a/b"];
const REGEXES = ["/v[0-9]+/x", "/a/[^/]+", "/(a|b)/c", "/a.*", "/a/.+", "/[a-c]", "/a(/.*)?", "/.*/x"];
const PATHS = [
  "/",
  "/a",
  "/a/",
  "/a/b",
  "/a/b/",
  "/a/b/c",
  "/ab",
  "/admin",
  "/admin/",
  "/administrator",
  "/admin/x",
  "/v1/x",
  "/v1/x/",
  "/v12",
  "/b",
  "/b/c",
  "/b/x",
  "/v1/x?y=1",
];
const METHODS = ["GET", "HEAD", "POST", "PURGE"];
const VALUES = ["a", "ab", "ba", "aa", "b", "cab"];

function headerOf(random: Random): Header {
  const name = random.pick(["x", "y"]);
  const value = random.pick(["a", "b", "ab"]);
  const invert = random.chance(0.3) ? { invert: true } : {};
  const tests: readonly Omit<Header, "name">[] = [
    { present: true },
    { exact: value },
    { exact: value },
    { prefix: value },
    { suffix: value },
    { contains: value },
    { regex: random.pick(["a|b", "a+", "a.*", "[ab]{1,2}"]) },
  ];
  return { name, ...random.pick(tests), ...invert };
}

function httpOf(random: Random): Http {
  const kind = random.int(5);
  const methods = random.maybe(0.4, () => random.list(1, 2, () => random.pick(METHODS)));
  const header = random.maybe(0.4, () => random.list(1, 2, () => headerOf(random)));
  return {
    ...(kind === 0 ? { pathExact: random.pick(EXACT) } : {}),
    ...(kind === 1 || kind === 2 ? { pathPrefix: random.pick(PREFIXES) } : {}),
    ...(kind === 3 ? { pathRegex: random.pick(REGEXES) } : {}),
    ...(methods === undefined ? {} : { methods }),
    ...(header === undefined ? {} : { header }),
  };
}

function entriesOf(random: Random): readonly Entry[] {
  return [...new Set(random.list(0, 2, () => random.pick(["a", "b", "*"])))].map((destination) => ({
    destination,
    sources: [...new Set(random.list(1, 3, () => random.pick([...SERVICES, "*"])))].map((name): Source => {
      const action = (): "allow" | "deny" => random.pick(["allow", "deny"] as const);
      if (destination === "*" || random.chance(0.35)) return { name, action: action() };
      return { name, permissions: random.list(1, 3, () => ({ action: action(), http: httpOf(random) })) };
    }),
  }));
}

function requestOf(random: Random): Request {
  const headers = ["x", "y"].flatMap((name) => (random.chance(0.6) ? [[name, [random.pick(VALUES)]] as const] : []));
  return {
    source: random.pick(SERVICES),
    destination: random.pick(["a", "b"]),
    tcp: random.chance(0.1),
    method: random.pick(METHODS),
    path: random.pick(PATHS),
    headers: Object.fromEntries(headers),
  };
}

function verdictOf(entries: readonly Entry[], base: "allow" | "deny", request: Request): "allow" | "deny" {
  const rank = (named: string): number => (named === "*" ? 0 : 1);
  const [best] = entries
    .flatMap(({ destination, sources }) => sources.map((source) => ({ destination, source })))
    .filter(
      ({ destination, source }) =>
        ["*", request.destination].includes(destination) && ["*", request.source].includes(source.name),
    )
    .sort((a, b) => rank(b.destination) * 2 + rank(b.source.name) - rank(a.destination) * 2 - rank(a.source.name));
  if (best === undefined) return base;
  const { action, permissions = [] } = best.source;
  if (action !== undefined) return action;
  if (request.tcp) return "deny";
  return permissions.find(({ http }) => matches(http, request))?.action ?? base;
}

function matches(
  { pathExact, pathPrefix, pathRegex, methods, header = [] }: Http,
  { method, path, headers }: Request,
): boolean {
  const [bare = ""] = path.split("?");
  return (
    (pathExact === undefined || bare === pathExact) &&
    (pathPrefix === undefined || bare.startsWith(pathPrefix)) &&
    (pathRegex === undefined || new RegExp(`^(?:${pathRegex})$`).test(bare)) &&
    (methods === undefined || methods.includes(method)) &&
    header.every((one) => headerMatches(one, headers[one.name]?.[0]))
  );
}

function headerMatches(
  { present, exact, prefix, suffix, contains, regex, invert = false }: Header,
  value: string | undefined,
): boolean {
  if (present === true) return (value !== undefined) !== invert;
  if (value === undefined) return false;
  const holds =
    (exact === undefined || value === exact) &&
    (prefix === undefined || value.startsWith(prefix)) &&
    (suffix === undefined || value.endsWith(suffix)) &&
    (contains === undefined || value.includes(contains)) &&
    (regex === undefined || new RegExp(`^(?:${regex})$`).test(value));
  return holds !== invert;
}

const identity = (name: string): string => `spiffe://cluster.local/ns/default/dc/dc1/svc/${name}`;

describe("imported service intentions", () => {
  const seed = runSeed();

  it(`decide as Consul does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const claims = new Map<string, number>();
    for (let at = 0; at < runCount(1_000, 40_000); at++) {
      const [entries, base, request] = [entriesOf(random), random.pick(["allow", "deny"] as const), requestOf(random)];
      const judged = judge({
        id: `${seed}/${at}`,
        format: "consul",
        documents: entries.map(({ destination, sources }) => ({
          kind: "ServiceIntentions",
          metadata: { name: "x" },
          spec: { destination: { name: destination }, sources },
        })),
        options: {
          defaultAction: base,
          workloads: SERVICES.map((name) => ({ namespace: "default", name, labels: {}, identity: identity(name) })),
        },
        request: {
          from: `default/${request.source}`,
          to: `default/${request.destination}`,
          request: request.tcp ? "tcp 5432" : `${request.method} ${request.path}`,
          headers: request.headers,
        },
        scopes: [],
        expected: verdictOf(entries, base, request),
      });
      claims.set(judged.claim, (claims.get(judged.claim) ?? 0) + 1);
      if (!isHonest(judged))
        expect({ judged, request, entries: JSON.stringify(entries), base }).toBe("an honest report");
    }
    expect(claims.get("exact") ?? 0).toBeGreaterThan(500);
    process.stdout.write(`consul, random: ${JSON.stringify(Object.fromEntries(claims))}\n`);
  });
});
