import { tryParseSpiffeId } from "../../../spiffe/index.ts";
import type { DraftCaller } from "../draft/draft.ts";
import type { KnownWorkload, World } from "../draft/world.ts";

/** Callers that an identity matcher names. */
export interface Named {
  readonly entries: readonly DraftCaller[];
  /** Callers among them that are not meant; only of a denial. */
  readonly except?: readonly DraftCaller[];
  /** Whom the entries take for denied, although the text may mean or spare them. */
  readonly short?: "foreign" | "unregistered";
}

/** One identity. Callers of trust domains that are not known are denied before any rule. */
export function exactly(value: string, world: World): Named {
  const read = tryParseSpiffeId(value);
  return { entries: read.ok && knownDomains(world).includes(read.id.trustDomain) ? [{ spiffe: value }] : [] };
}

const knownDomains = ({ trustDomain, foreign }: World): readonly string[] => [trustDomain, ...foreign];

/**
 * A text that identities begin with, which need not end where a segment does. Of a trust domain's name an allow means that
 * trust domain and the own one, while a denial means every one that is known and begins so.
 */
export function beginning(value: string, denies: boolean, world: World): Named {
  const [, domain = "", path] = /^spiffe:\/\/([^/]*)(\/.*)?$/.exec(value) ?? [];
  if (path !== undefined) return belowPath(domain, path, denies, world);
  const begun = knownDomains(world).filter((name) => `spiffe://${name}/`.startsWith(value));
  if (denies || domain === "") return { entries: begun.map((name) => domainEntry(name, world)) };
  const meant = begun.filter((name) => name === domain || name === world.trustDomain);
  return { entries: meant.map((name) => domainEntry(name, world)), short: "foreign" };
}

function domainEntry(name: string, { trustDomain }: World): DraftCaller {
  return name === trustDomain ? { anyone: "authenticated" } : { trustDomain: name };
}

function belowPath(domain: string, path: string, denies: boolean, world: World): Named {
  if (!knownDomains(world).includes(domain)) return { entries: [] };
  if (path === "/") return { entries: [domainEntry(domain, world)] };
  if (path.endsWith("/")) return { entries: below(domain, path.slice(0, -1), world) };
  return denies ? deniedFrom(domain, path, world) : allowedFrom(domain, path, world);
}

function below(domain: string, path: string, world: World): readonly DraftCaller[] {
  if (path === "") return [domainEntry(domain, world)];
  const id = `spiffe://${domain}${path}`;
  return tryParseSpiffeId(id).ok ? [{ spiffe: `${id}/**` }] : [];
}

/** The identity itself, all below it, and those of the registry whose segment goes on. */
function allowedFrom(domain: string, path: string, world: World): Named {
  const id = `spiffe://${domain}${path}`;
  const goingOn = world.workloads.filter(
    ({ identity }) => identity.startsWith(id) && identity !== id && identity[id.length] !== "/",
  );
  const itself: readonly DraftCaller[] = tryParseSpiffeId(id).ok ? [{ spiffe: id }] : [];
  const entries = [...itself, ...below(domain, path, world), ...goingOn.map(entryOf)];
  return { entries, short: domain === world.trustDomain ? "unregistered" : "foreign" };
}

/** Everything below the segment before, but for those of the registry that do not begin so. */
function deniedFrom(domain: string, path: string, world: World): Named {
  const parent = path.slice(0, path.lastIndexOf("/"));
  const spared = world.workloads.filter(
    ({ identity }) =>
      identity.startsWith(`spiffe://${domain}${parent}/`) && !identity.startsWith(`spiffe://${domain}${path}`),
  );
  const entries = below(domain, parent, world);
  const short = domain === world.trustDomain ? "unregistered" : "foreign";
  return { entries, short, ...(spared.length === 0 ? {} : { except: spared.map(entryOf) }) };
}

const entryOf = ({ namespace, name }: KnownWorkload): DraftCaller => ({ workload: `${namespace}/${name}` });
