import { tryParseSpiffeId } from "../../../spiffe/index.ts";
import type { DraftCaller } from "../draft/draft.ts";
import { callersOfNamespace, everyCaller } from "../draft/everything.ts";
import type { KnownWorkload, World } from "../draft/world.ts";

/** Who an identity requirement lets in; `lost` names what no entry can say. */
export interface Callers {
  readonly entries: readonly DraftCaller[];
  readonly lost: readonly string[];
}

/** Everybody, with or without mutual TLS. */
export function anybody(world: World): Callers {
  return { entries: everyCaller(world), lost: [] };
}

/** Everybody with mutual TLS. */
export function anyIdentity({ foreign }: World): Callers {
  return { entries: [{ anyone: "authenticated" }, ...foreign.map((trustDomain) => ({ trustDomain }))], lost: [] };
}

/** `<service account>.<namespace>.serviceaccount.identity.<control plane>.<trust domain>` */
const DNS_IDENTITY = /^([^.]+)\.([^.]+)\.serviceaccount\.identity\.([^.]+)\.(.+)$/;

const NAMESPACE_IDENTITY = /^([^.]+)\.serviceaccount\.identity\.([^.]+)\.(.+)$/;

/** Who an identity text of a MeshTLSAuthentication names: all, a suffix, or one. */
export function callersOfIdentity(text: string, world: World): Callers {
  if (text === "*") return anyIdentity(world);
  if (text.startsWith("spiffe://")) return ofSpiffe(text, world);
  if (text.startsWith("*.")) return ofSuffix(text.slice(2), world);
  const [, account = "", namespace = "", , trustDomain = ""] = DNS_IDENTITY.exec(text) ?? [];
  if (account === "" || !world.aliases.includes(trustDomain)) return { entries: [], lost: [text] };
  return callersOfAccount(namespace, account, world);
}

function ofSpiffe(text: string, { trustDomain, foreign }: World): Callers {
  const read = tryParseSpiffeId(text);
  const known = read.ok && [trustDomain, ...foreign].includes(read.id.trustDomain);
  return known ? { entries: [{ spiffe: text }], lost: [] } : { entries: [], lost: [text] };
}

function ofSuffix(suffix: string, world: World): Callers {
  const common = [...world.aliases].some((name) => `serviceaccount.identity.linkerd.${name}`.endsWith(suffix));
  if (common) return { entries: [{ anyone: "authenticated" }], lost: [] };
  const [, namespace = "", , trustDomain = ""] = NAMESPACE_IDENTITY.exec(suffix) ?? [];
  if (namespace !== "" && world.aliases.includes(trustDomain))
    return { entries: callersOfNamespace(namespace, world), lost: [] };
  const matching = world.workloads.filter((workload) => dnsIdentity(workload, world).endsWith(`.${suffix}`));
  return { entries: matching.map(entryOf), lost: matching.length === 0 ? [`*.${suffix}`] : [] };
}

function dnsIdentity({ namespace, name, serviceAccount }: KnownWorkload, { trustDomain }: World): string {
  return `${serviceAccount ?? name}.${namespace}.serviceaccount.identity.linkerd.${trustDomain}`;
}

const entryOf = ({ namespace, name }: KnownWorkload): DraftCaller => ({ workload: `${namespace}/${name}` });

/** The workloads of a service account; where the registry has none, the identity that one would have. */
export function callersOfAccount(namespace: string, account: string, world: World): Callers {
  const matching = world.workloads.filter(
    (workload) => workload.namespace === namespace && (workload.serviceAccount ?? workload.name) === account,
  );
  if (matching.length > 0) return { entries: matching.map(entryOf), lost: [] };
  const id = `spiffe://${world.trustDomain}/ns/${namespace}/sa/${account}`;
  return tryParseSpiffeId(id).ok
    ? { entries: [{ spiffe: id }], lost: [] }
    : { entries: [], lost: [`${account}.${namespace}`] };
}
