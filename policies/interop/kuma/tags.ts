import type { KnownWorkload, World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";

/** A tag of a proxy, or a label, which it has for a tag. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

export type Tags = readonly Tag[];

/** The tags that a map asks for. */
export function tagsOf(map: Fields | undefined): Tags {
  return (map?.unknown([]) ?? []).map((key) => ({ key, value: String(map?.get(key)) }));
}

const OF_REGISTRY: ReadonlyMap<string, (workload: KnownWorkload, value: string, world: World) => boolean> = new Map([
  ["kuma.io/service", ({ identity }, value, { trustDomain }) => identity === `spiffe://${trustDomain}/${value}`],
  ["k8s.kuma.io/namespace", ({ namespace }, value) => namespace === value],
  ["k8s.kuma.io/service-account", ({ serviceAccount, name }, value) => (serviceAccount ?? name) === value],
]);

/** Whether a registered workload has a tag. */
export function isTagged(workload: KnownWorkload, { key, value }: Tag, world: World): boolean {
  const given = workload.labels[key];
  return given === undefined ? OF_REGISTRY.get(key)?.(workload, value, world) === true : given === value;
}

/** Whether the registry can tell who has a tag. Labels of a user's own it can; of Kuma's, those that it holds. */
export function isKnownTag(tag: Tag, world: World): boolean {
  if (!tag.key.includes("kuma.io/")) return true;
  const { workloads } = world;
  if (tag.key === "kuma.io/service") return workloads.some((one) => isTagged(one, tag, world));
  return (
    workloads.some(({ labels }) => labels[tag.key] !== undefined) || (OF_REGISTRY.has(tag.key) && workloads.length > 0)
  );
}
