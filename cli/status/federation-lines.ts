import { printable } from "../../policies/index.ts";
import type { AuthorityStatus } from "../../protocol/index.ts";
import type { Io } from "../io.ts";
import { age, columns, count, paint } from "../screen.ts";

type Outward = Pick<AuthorityStatus, "federation" | "outward">;
type Domain = NonNullable<AuthorityStatus["federation"]>[number];
type Server = NonNullable<AuthorityStatus["outward"]>[number];

/** A bundle that was not confirmed for so many refresh hints is old. */
const OLD_HINTS = 3;
const DEFAULT_HINT_SECONDS = 300;

/** Federated trust domains with the freshness of their bundles, and the servers for others; nothing where there are none. */
export function federationLines({ federation = [], outward = [] }: Outward, io: Io): readonly string[] {
  if (federation.length + outward.length === 0) return [];
  return [
    "",
    paint(io.stdout, "bold", "federation"),
    ...columns(federation.map((domain) => domainRow(domain, io))),
    ...federation.flatMap((domain) => problemLine(domain.problem, io)),
    ...columns(outward.map((server) => [SERVERS[server.name], printable(server.listen), stateOf(server)])),
    ...outward.flatMap((server) => problemLine(server.problem, io)),
  ];
}

/** What of federation needs somebody's attention. */
export function federationAttention({ federation = [], outward = [] }: Outward, now: Date): readonly string[] {
  return [
    ...federation.flatMap((domain) => domainAttention(domain, now)),
    ...outward.flatMap(({ name, problem }) => (problem === undefined ? [] : [`the ${SERVERS[name]} is not served`])),
  ];
}

const SERVERS = { bundleEndpoint: "bundle endpoint", oidcDiscovery: "OIDC discovery" } as const;

function domainRow({ trustDomain, profile, keys, sequence, ...domain }: Domain, io: Io): readonly string[] {
  const numbered = sequence === undefined ? "" : `, sequence ${sequence}`;
  return [
    printable(trustDomain),
    profile ?? "bundle in the mesh",
    keys === undefined ? "no bundle: its callers are refused" : `${count(keys, "key")}${numbered}`,
    freshness(profile, domain, io),
  ];
}

function freshness(
  profile: Domain["profile"],
  { fetchedAt, nextAt }: Pick<Domain, "fetchedAt" | "nextAt">,
  io: Io,
): string {
  if (profile === undefined) return "";
  const last = fetchedAt === undefined ? "never fetched" : `fetched ${age(new Date(fetchedAt), io.clock())} ago`;
  return nextAt === undefined ? last : `${last}, again in ${age(io.clock(), new Date(nextAt))}`;
}

function stateOf({ problem }: Server): string {
  return problem === undefined ? "serves" : "does not serve";
}

function problemLine(problem: string | undefined, io: Io): readonly string[] {
  return problem === undefined ? [] : [`    ${paint(io.stdout, "red", "problem")}: ${printable(problem, 400)}`];
}

function domainAttention(domain: Domain, now: Date): readonly string[] {
  const { trustDomain, keys, problem, profile, fetchedAt } = domain;
  const shown = `\`${printable(trustDomain)}\``;
  if (keys === undefined) return [`there is no bundle of ${shown}: its callers are refused`];
  if (profile === undefined || problem === undefined) return [];
  const hintMs = (domain.refreshHintSeconds ?? DEFAULT_HINT_SECONDS) * 1000;
  if (fetchedAt === undefined) return [`the bundle of ${shown} has never been fetched`];
  const old = now.getTime() - Date.parse(fetchedAt) > OLD_HINTS * hintMs;
  return old ? [`the bundle of ${shown} has not been confirmed for ${age(new Date(fetchedAt), now)}`] : [];
}
