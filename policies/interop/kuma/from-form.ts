import type { DraftCaller } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import { nameOf, type World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";
import { isKnownTag, isTagged, type Tags, tagsOf } from "./tags.ts";

/** What one entry of `from`, the form before rules by identity, does to whom. */
export interface FromEntry {
  readonly effect: "deny" | "allow" | "allowWithShadowDeny";
  readonly from: readonly DraftCaller[];
}

interface Around {
  readonly construct: string;
  readonly world: World;
  readonly notes: Notes;
  /** Whether policies of the mesh have rules by identity, beside which the source may not look at this form. */
  readonly isMixed: boolean;
}

const EFFECTS: ReadonlyMap<string, FromEntry["effect"]> = new Map([
  ["allow", "allow"],
  ["deny", "deny"],
  ["allowwithshadowdeny", "allowWithShadowDeny"],
]);

const IN_MESH = "callers of the own mesh are meant, those with an identity of its trust domain";
const DENIED_FIRST =
  "a later entry, or a policy of something more particular, may allow it again in the source; here it may not";
const MIXED = "other policies have `rules`, and a proxy has one form or the other: nobody is allowed by this one";
const UNTOLD = "the registry cannot tell who that is";

/** Reads `from`. Denials come first here, where the source takes the most particular entry: what comes out denies more. */
export function fromEntries(spec: Fields, around: Around): readonly FromEntry[] {
  return spec.maps("from").flatMap((entry, index) => {
    const action = entry.map("default")?.text("action") ?? "";
    const effect = EFFECTS.get(action.toLowerCase().replaceAll("_", ""));
    if (effect === undefined)
      throw entry.invalid("default", "has no action that is Allow, Deny or AllowWithShadowDeny");
    const construct = `${around.construct}: from[${index}]`;
    const { notes, world, isMixed } = around;
    if (isMixed && effect !== "deny") {
      notes.add(entry.place(), construct, "unsupported", MIXED);
      return [];
    }
    const told = callersOf(entry.map("targetRef"), world);
    const from = told ?? (effect === "deny" ? [{ anyone: "authenticated" as const }] : []);
    if (told === undefined)
      notes.add(
        entry.place("targetRef"),
        construct,
        effect === "deny" ? "narrower" : "unsupported",
        effect === "deny" ? `${UNTOLD}: everybody is denied` : `${UNTOLD}: nobody is allowed`,
      );
    else if (effect === "deny") notes.add(entry.place(), construct, "narrower", DENIED_FIRST);
    else notes.add(entry.place(), construct, "exact", IN_MESH);
    return from.length === 0 ? [] : [{ effect, from }];
  });
}

/** Who a `targetRef` names; `undefined` where that cannot be told. */
function callersOf(target: Fields | undefined, world: World): readonly DraftCaller[] | undefined {
  const [kind, name] = [target?.text("kind") ?? "Mesh", target?.text("name")];
  if (kind === "Mesh") return [{ anyone: "authenticated" }];
  if (kind === "MeshSubset" || kind === "MeshServiceSubset")
    return tagged([...serviceOf(kind === "MeshSubset" ? undefined : name), ...tagsOf(target?.map("tags"))], world);
  return kind === "MeshService" && name !== undefined ? tagged(serviceOf(name), world) : undefined;
}

const serviceOf = (name: string | undefined): Tags =>
  name === undefined ? [] : [{ key: "kuma.io/service", value: name }];

function tagged(tags: Tags, world: World): readonly DraftCaller[] | undefined {
  const [only] = tags;
  if (only === undefined) return [{ anyone: "authenticated" }];
  // Without a registry a service is told by the identity that Kuma gives it.
  if (world.workloads.length === 0 && tags.length === 1 && only.key === "kuma.io/service")
    return [{ spiffe: `spiffe://${world.trustDomain}/${only.value}` }];
  if (world.workloads.length === 0 || tags.some((tag) => !isKnownTag(tag, world))) return undefined;
  return world.workloads
    .filter((workload) => tags.every((tag) => isTagged(workload, tag, world)))
    .map((workload) => ({ workload: nameOf(workload) }));
}
