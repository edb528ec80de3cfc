import type { ImportOptions, ImportWorkload } from "../importer.ts";
import type { DraftProvider } from "./draft.ts";

/** A workload of the registry, with its identity worked out. */
export interface KnownWorkload extends ImportWorkload {
  readonly identity: string;
}

/** What an import knows: the registry and the trust domains. */
export interface World {
  readonly trustDomain: string;
  /** Names of the own trust domain in the source, the own one first. */
  readonly aliases: readonly string[];
  /** Foreign trust domains, aliases among them. */
  readonly foreign: readonly string[];
  readonly workloads: readonly KnownWorkload[];
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly foreignIdentities: readonly string[];
  /** Numbers of named ports that hold for every workload. */
  readonly portNames: Readonly<Record<string, number>>;
  /** Lower case, without port. */
  readonly hosts: readonly string[];
  readonly grpcServices: readonly string[];
  /** Whether some listener upgrades, so that lines for upgrades are worth writing. */
  readonly websocket: boolean;
  /** Token issuers that the Mesh has, or gets. */
  readonly jwtProviders: readonly DraftProvider[];
  readonly emitRegistry: boolean;
}

/** The own trust domain where none is named. */
export const DEFAULT_TRUST_DOMAIN = "cluster.local";

/** What the options say, defaults filled in. Namespaces of registered workloads are known even without labels. */
export function worldOf(options: ImportOptions): World {
  const trustDomain = options.trustDomain ?? DEFAULT_TRUST_DOMAIN;
  const aliases = [trustDomain, ...(options.trustDomainAliases ?? [])];
  const foreign = [...aliases, ...(options.federation ?? [])].filter((name) => name !== trustDomain);
  const workloads = (options.workloads ?? []).map((workload) => ({
    ...workload,
    namedPorts: { ...options.portNames, ...workload.namedPorts },
    identity: workload.identity ?? defaultIdentity(trustDomain, workload),
  }));
  const namespaces = new Map(workloads.map(({ namespace }) => [namespace, {} as Readonly<Record<string, string>>]));
  for (const [name, labels] of Object.entries(options.namespaces ?? {})) namespaces.set(name, labels);
  return {
    trustDomain,
    aliases: [...new Set(aliases)],
    foreign: [...new Set(foreign)],
    workloads,
    namespaces,
    portNames: options.portNames ?? {},
    foreignIdentities: options.foreignIdentities ?? [],
    hosts: [
      ...new Set((options.hosts ?? []).map((host) => host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, ""))),
    ],
    grpcServices: options.grpcServices ?? [],
    websocket: workloads.some(({ websocket }) => websocket === true),
    jwtProviders: options.jwtProviders ?? [],
    emitRegistry: options.registry !== "exists",
  };
}

function defaultIdentity(trustDomain: string, { namespace, name, serviceAccount }: ImportWorkload): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount ?? name}`;
}

/** How policies name a workload. */
export function nameOf({ namespace, name }: ImportWorkload): string {
  return `${namespace}/${name}`;
}
