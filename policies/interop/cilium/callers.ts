import { addressBlock } from "../draft/address-blocks.ts";
import type { DraftCaller } from "../draft/draft.ts";
import { everyCaller } from "../draft/everything.ts";
import type { Notes } from "../draft/notes.ts";
import type { Suspected } from "../draft/suspects.ts";
import type { World } from "../draft/world.ts";
import { networkWithout } from "../linkerd/networks.ts";
import type { Fields } from "../translate/fields.ts";
import type { Spec } from "./read-specs.ts";
import { callersOfSelector, readEndpointSelector } from "./selector.ts";

/** What is known beside the documents, and where to report. */
export interface Context {
  readonly world: World;
  readonly notes: Notes;
  /** What may let more through than the source does. */
  readonly suspects: Suspected[];
}

/** Keys of a rule that say who. */
export const FROM_KEYS = ["fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromGroups", "fromNodes"];

/** Who a rule lets in, or keeps out; none named is everybody. */
export function callersOf(rule: Fields, spec: Spec, context: Context): readonly DraftCaller[] {
  const { world } = context;
  const isAuthenticated = rule.map("authentication")?.text("mode") === "required";
  const named = FROM_KEYS.some((key) => rule.get(key) !== undefined);
  const callers = named
    ? [
        ...endpointCallers(rule, spec, context),
        ...cidrCallers(rule, spec, context),
        ...entityCallers(rule, spec, context),
      ]
    : everyCaller(world);
  return isAuthenticated ? callers.filter(({ anyone }) => anyone !== "anonymous") : callers;
}

function endpointCallers(rule: Fields, { home, construct }: Spec, { world, notes }: Context): readonly DraftCaller[] {
  const list = rule.get("fromEndpoints");
  const values: readonly unknown[] = Array.isArray(list) ? list : [];
  return values.flatMap((value, index) => {
    const selector = readEndpointSelector(value);
    if (selector === undefined)
      notes.add(
        rule.place("fromEndpoints"),
        `${construct}.fromEndpoints[${index}]`,
        "unsupported",
        "what it selects is not told by the registry",
      );
    return selector === undefined ? [] : callersOfSelector(selector, home, world);
  });
}

/** Blocks of addresses are callers from outside: endpoints of the cluster are never told by them. */
function cidrCallers(rule: Fields, { construct }: Spec, { notes }: Context): readonly DraftCaller[] {
  const sets = [
    ...rule.texts("fromCIDR").map((cidr) => networkWithout(cidr, [])),
    ...rule
      .maps("fromCIDRSet")
      .map((set) =>
        set.has("cidr") && set.unknown(["cidr", "except"]).length === 0
          ? networkWithout(set.text("cidr") ?? "", set.texts("except"))
          : undefined,
      ),
  ];
  const addresses = sets.flatMap((blocks) => blocks ?? []).flatMap((block) => addressBlock(block) ?? []);
  if (sets.includes(undefined))
    notes.add(rule.place(), `${construct}: fromCIDRSet`, "unsupported", "these addresses cannot be written as blocks");
  for (const key of ["fromGroups", "fromNodes"])
    if (rule.has(key))
      notes.add(rule.place(key), `${construct}: ${key}`, "unsupported", "these callers are not told by the registry");
  return addresses.length === 0 ? [] : [{ anyone: "anonymous", addresses: [...new Set(addresses)] }];
}

function entityCallers(rule: Fields, { construct }: Spec, { world, notes }: Context): readonly DraftCaller[] {
  return rule.texts("fromEntities").flatMap((entity): readonly DraftCaller[] => {
    switch (entity) {
      case "all":
        return everyCaller(world);
      case "world":
        return everyCaller(world).filter(({ anyone }) => anyone !== "authenticated");
      case "cluster":
        return [{ anyone: "authenticated" }];
      default:
        notes.add(
          rule.place("fromEntities"),
          `${construct}: ${entity}`,
          "unsupported",
          "this entity is no workload of the registry",
        );
        return [];
    }
  });
}
