import { tryParseSpiffeId } from "../../../spiffe/index.ts";
import type { DraftCaller } from "../draft/draft.ts";
import type { World } from "../draft/world.ts";
import { principalSpellings, textForm, textMatches, trustDomainSpellings } from "./identity-text.ts";
import type { IdentityTest } from "./policy.ts";

/**
 * Whom of one trust domain a value matches: nobody, everybody, the callers named by entries that need no registry, or
 * some that only a registry tells.
 */
export type Reach =
  | { readonly kind: "none" | "all" | "some" }
  | { readonly kind: "named"; readonly spiffe: readonly string[] };

const NONE: Reach = { kind: "none" };
const ALL: Reach = { kind: "all" };
const SOME: Reach = { kind: "some" };

/** Whom a test's values reach in a trust domain, its negation aside. */
export function reachOf(test: IdentityTest, trustDomain: string, world: World): Reach {
  return test.values.map((value) => reachOfValue(test.kind, value, trustDomain, world)).reduce(union, NONE);
}

function union(a: Reach, b: Reach): Reach {
  if (a.kind === "all" || b.kind === "all") return ALL;
  if (a.kind === "none") return b;
  if (b.kind === "none") return a;
  if (a.kind === "named" && b.kind === "named")
    return { kind: "named", spiffe: [...new Set([...a.spiffe, ...b.spiffe])] };
  return SOME;
}

function reachOfValue(kind: IdentityTest["kind"], value: string, trustDomain: string, world: World): Reach {
  switch (kind) {
    case "principal":
      return principalSpellings(value, world)
        .map((one) => reachOfPrincipal(one, trustDomain))
        .reduce(union, NONE);
    case "namespace":
      return value.includes("*") ? SOME : named(`spiffe://${trustDomain}/ns/${value}`, "/**");
    case "serviceAccount": {
      const [namespace = "", account = ""] = value.split("/");
      return named(`spiffe://${trustDomain}/ns/${namespace}/sa/${account}`, "");
    }
    case "trustDomain":
      return trustDomainSpellings(value, world).some((one) => textMatches(textForm(one), trustDomain)) ? ALL : NONE;
  }
}

function reachOfPrincipal(value: string, trustDomain: string): Reach {
  const form = textForm(value);
  const root = `${trustDomain}/`;
  switch (form.kind) {
    case "any":
      return ALL;
    case "exact":
      return form.text.startsWith(root) ? named(`spiffe://${form.text}`, "") : NONE;
    case "suffix":
      return SOME;
    case "prefix": {
      if (root.startsWith(form.text)) return ALL;
      if (!form.text.startsWith(root)) return NONE;
      return form.text.endsWith("/") ? named(`spiffe://${form.text.slice(0, -1)}`, "/**") : SOME;
    }
  }
}

/** An identity that is no SPIFFE ID is nobody's. */
function named(id: string, below: "" | "/**"): Reach {
  return tryParseSpiffeId(id).ok ? { kind: "named", spiffe: [`${id}${below}`] } : NONE;
}

/** Entries for a reach; `undefined` where only a registry could tell. */
export function entriesOf(reach: Reach, trustDomain: string, world: World): readonly DraftCaller[] | undefined {
  switch (reach.kind) {
    case "none":
      return [];
    case "all":
      return trustDomain === world.trustDomain ? [{ anyone: "authenticated" }] : [{ trustDomain }];
    case "named":
      return reach.spiffe.map((spiffe) => ({ spiffe }));
    case "some":
      return undefined;
  }
}
