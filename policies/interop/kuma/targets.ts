import { type DraftProtects, MESH_NAMESPACE } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import type { KnownWorkload, World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";
import { isKnownTag, isTagged, type Tags, tagsOf } from "./tags.ts";

/** What a permission is of. */
export interface Target {
  /** Where policies stand, and what they protect there; none where nothing is selected. */
  readonly protections: readonly { readonly home: string; readonly protects: DraftProtects }[];
  /** Listener ports; absent: all. */
  readonly ports?: readonly number[];
}

/** What allows are of and what denials are of: the two differ where the source cannot be told exactly. */
export interface Targets {
  /** Absent: it cannot be told, and nothing is allowed. */
  readonly allow: Target | undefined;
  readonly deny: Target;
}

interface Around {
  readonly spec: Fields;
  readonly construct: string;
  readonly world: World;
  readonly notes: Notes;
}

/** The namespace of the control plane, whose resources are of the whole mesh. */
export const SYSTEM_NAMESPACE = "kuma-system";

/**
 * What `targetRef` selects: the mesh, or proxies by labels, tags or service. A resource of a namespace other than the control
 * plane's is of that namespace alone.
 */
export function targetsOf(spec: Fields, namespace: string | undefined, around: Omit<Around, "spec">): Targets {
  const target = spec.map("targetRef");
  const whole: Target = { protections: [{ home: MESH_NAMESPACE, protects: { namespaces: placeOf(namespace) } }] };
  const selected = target === undefined ? whole : selectedBy(target, namespace, around.world);
  if (target === undefined || selected === undefined) {
    if (selected === undefined)
      noteLeft({ ...around, spec }, `\`${target?.text("kind") ?? ""}\` of this form cannot be told by the registry`);
    return { allow: selected, deny: whole };
  }
  const section = sectionOf(target);
  if (section === undefined) return { allow: selected, deny: selected };
  const port = portOf(section, workloadsOf(target, namespace, around.world), around.world);
  if (port === undefined) {
    noteLeft({ ...around, spec }, `the listener \`${section}\` is not known to be one port of what is selected`);
    return { allow: undefined, deny: selected };
  }
  const at = { ...selected, ports: [port] };
  return { allow: at, deny: at };
}

const placeOf = (namespace: string | undefined): readonly string[] | "*" =>
  namespace === undefined || namespace === SYSTEM_NAMESPACE ? "*" : [namespace];

function noteLeft({ spec, construct, notes }: Around, reason: string): void {
  const place = spec.place("targetRef");
  notes.add(place, `${construct}: targetRef`, "unsupported", `${reason}: nothing is allowed by it`);
  notes.add(
    place,
    `${construct}: targetRef`,
    "narrower",
    `${reason}: what it denies is denied of all that it may select`,
  );
}

const sectionOf = (target: Fields): string | undefined =>
  target.has("sectionName") ? String(target.get("sectionName")) : undefined;

function selectedBy(target: Fields, namespace: string | undefined, world: World): Target | undefined {
  const tags = askedOf(target);
  const namespaces = placeOf(namespace);
  if (tags === undefined || tags.some((tag) => !isKnownTag(tag, world))) return undefined;
  if (tags.length === 0) return { protections: [{ home: MESH_NAMESPACE, protects: { namespaces } }] };
  if (target.text("kind") === "Dataplane" && tags.every(({ key }) => !key.includes("kuma.io/"))) {
    const labels = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
    return { protections: [{ home: MESH_NAMESPACE, protects: { labels, namespaces } }] };
  }
  const found = workloadsOf(target, namespace, world);
  return { protections: found.map((one) => ({ home: one.namespace, protects: { workload: one.name } })) };
}

/** What a target asks of proxies; absent where it is of a form that nothing is known of. */
function askedOf(target: Fields): Tags | undefined {
  const name = target.text("name");
  switch (target.text("kind") ?? "Mesh") {
    case "Mesh":
      return [];
    case "Dataplane":
      return name === undefined ? tagsOf(target.map("labels") ?? target.map("tags")) : undefined;
    case "MeshSubset":
      return tagsOf(target.map("tags"));
    case "MeshService":
      return name === undefined ? undefined : [{ key: "kuma.io/service", value: name }];
    default:
      return undefined;
  }
}

function workloadsOf(target: Fields, namespace: string | undefined, world: World): readonly KnownWorkload[] {
  const [tags, namespaces] = [askedOf(target) ?? [], placeOf(namespace)];
  return world.workloads.filter(
    (one) =>
      (namespaces === "*" || namespaces.includes(one.namespace)) && tags.every((tag) => isTagged(one, tag, world)),
  );
}

/** The number of a listener: a number, or a name that is one number at all that is selected. */
function portOf(section: string, selected: readonly KnownWorkload[], { portNames }: World): number | undefined {
  if (/^[0-9]{1,5}$/.test(section)) return Number(section);
  if (selected.length === 0) return portNames[section];
  const [only, ...others] = [...new Set(selected.map(({ namedPorts }) => namedPorts?.[section]))];
  return others.length === 0 ? only : undefined;
}
