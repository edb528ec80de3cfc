import { registryOf } from "../ca/index.ts";
import type { Node, PolicySet } from "../policies/index.ts";
import type { RegistryChange } from "../protocol/index.ts";

type Registered = ReadonlyMap<string, { readonly identity: string; readonly nodes: string[] }>;

/**
 * What a publish does to who may enrol and who obtains which identity. An identity is issued anew where another node may
 * run its workload, and where the workload gets another identity. Sorted.
 */
export function registryChange(before: PolicySet | undefined, after: PolicySet, localNode?: string): RegistryChange {
  const [old, fresh] = [workloadsOf(before, localNode), workloadsOf(after, localNode)];
  const gone = [...old].filter(([name]) => !fresh.has(name));
  const added = [...fresh].filter(([name]) => !old.has(name));
  const reissued = [...fresh].flatMap(([name, { identity, nodes }]) => {
    const known = old.get(name);
    if (known === undefined) return [];
    const gains = nodes.filter((node) => !known.nodes.includes(node) || known.identity !== identity);
    const loses = known.nodes.filter((node) => !nodes.includes(node));
    const was = known.identity === identity ? {} : { was: known.identity };
    return gains.length + loses.length === 0 && known.identity === identity ? [] : [{ identity, ...was, gains, loses }];
  });
  return {
    nodes: nodesChange(before?.nodes ?? [], after.nodes),
    identities: {
      added: sorted(added.map(([, entry]) => entry)),
      removed: sorted(gone.map(([, entry]) => entry)),
      reissued: sorted(reissued),
    },
  };
}

/** Whether anybody may enrol or obtain something that could not before, or the other way round. */
export function changesRegistry({ nodes, identities }: RegistryChange): boolean {
  const { added, removed, changed } = nodes;
  const lists = [added, removed, changed, identities.added, identities.removed, identities.reissued];
  return lists.some((list) => list.length > 0);
}

/** By workload: its identity and the nodes that may run it. */
function workloadsOf(set: PolicySet | undefined, localNode: string | undefined): Registered {
  if (set === undefined) return new Map();
  const registry = registryOf(set, localNode);
  const nodes = new Map<string, string[]>();
  for (const name of registry.nodeNames()) {
    for (const { identity } of registry.workloadsOf(name).workloads) {
      nodes.set(identity, [...(nodes.get(identity) ?? []), name]);
    }
  }
  return new Map(
    set.workloads.map(({ namespace, name, identity }) => [
      `${namespace}/${name}`,
      { identity: identity.toString(), nodes: (nodes.get(identity.toString()) ?? []).sort() },
    ]),
  );
}

function nodesChange(before: readonly Node[], after: readonly Node[]): RegistryChange["nodes"] {
  const [old, fresh] = [byName(before), byName(after)];
  return {
    added: [...fresh.keys()].filter((name) => !old.has(name)).sort(),
    removed: [...old.keys()].filter((name) => !fresh.has(name)).sort(),
    changed: [...fresh]
      .flatMap(([name, node]) => {
        const known = old.get(name);
        const what = known === undefined ? [] : differences(known, node);
        return what.length === 0 ? [] : [{ node: name, what }];
      })
      .sort((a, b) => (a.node < b.node ? -1 : 1)),
  };
}

function differences(old: Node, fresh: Node): ("labels" | "attest")[] {
  const sameLabels = textOf([...old.labels].sort()) === textOf([...fresh.labels].sort());
  const sameAttest = textOf(old.attest) === textOf(fresh.attest);
  return [...(sameLabels ? [] : ["labels" as const]), ...(sameAttest ? [] : ["attest" as const])];
}

function byName(nodes: readonly Node[]): ReadonlyMap<string, Node> {
  return new Map(nodes.map((node) => [node.name, node]));
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (each instanceof Map ? [...each].sort() : each));
}

function sorted<T extends { readonly identity: string }>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => (a.identity < b.identity ? -1 : 1));
}
