import type { World } from "../draft/world.ts";
import type { IdentityTest } from "./policy.ts";

/** Istio's text forms: `*` is anything but nothing, `*a` a suffix, `a*` a prefix, everything else is exact. A leading star wins. */
export type TextForm =
  | { readonly kind: "any" }
  | { readonly kind: "exact" | "prefix" | "suffix"; readonly text: string };

/** Reads Istio's text form. */
export function textForm(value: string): TextForm {
  if (value === "*") return { kind: "any" };
  if (value.startsWith("*")) return { kind: "suffix", text: value.slice(1) };
  if (value.endsWith("*")) return { kind: "prefix", text: value.slice(0, -1) };
  return { kind: "exact", text: value };
}

/** Whether a text is of a form. */
export function textMatches(form: TextForm, text: string): boolean {
  switch (form.kind) {
    case "any":
      return text !== "";
    case "exact":
      return text === form.text;
    case "prefix":
      return text.startsWith(form.text);
    case "suffix":
      return text.endsWith(form.text);
  }
}

/** Whether an identity passes one test; `undefined` is a caller without an identity. Absent is false, its negation true. */
export function passes(test: IdentityTest, identity: string | undefined, world: World): boolean {
  const hit = identity !== undefined && test.values.some((value) => valueMatches(test.kind, value, identity, world));
  return hit !== test.negated;
}

function valueMatches(kind: IdentityTest["kind"], value: string, identity: string, world: World): boolean {
  const principal = identity.replace(/^spiffe:\/\//, "");
  switch (kind) {
    case "principal":
      return principalSpellings(value, world).some((one) => textMatches(textForm(one), principal));
    case "namespace":
      return namespaceForm(value).test(`/${principal.split("/").slice(1).join("/")}`);
    case "serviceAccount": {
      const [namespace = "", account = ""] = value.split("/");
      return principal.endsWith(`/ns/${namespace}/sa/${account}`);
    }
    case "trustDomain":
      return trustDomainSpellings(value, world).some((one) =>
        textMatches(textForm(one), principal.split("/")[0] ?? ""),
      );
  }
}

/** `/ns/<value>/` somewhere in the path, each `*` any text. */
function namespaceForm(value: string): RegExp {
  const text = value
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`/ns/${text}/`);
}

/**
 * A principal of the own trust domain under each of its names; `cluster.local` stands for the own one, and a text form of a
 * trust domain for those that it matches. A form that begins with a star stays as it is for these.
 */
export function principalSpellings(value: string, world: World): readonly string[] {
  const [trustDomain = "", ...path] = value.split("/");
  if (path.length !== 4 || trustDomain === "*" || !isLikeOwn(trustDomain, world)) return [value];
  const form = textForm(trustDomain);
  const stays = (alias: string): boolean => form.kind === "suffix" && textMatches(form, alias);
  return [...new Set(world.aliases.map((alias) => (stays(alias) ? value : [alias, ...path].join("/"))))];
}

function isLikeOwn(trustDomain: string, world: World): boolean {
  const form = textForm(trustDomain);
  return isOwn(trustDomain, world) || world.aliases.some((alias) => textMatches(form, alias));
}

/** A trust domain under each name of the own one, if it is that. */
export function trustDomainSpellings(value: string, world: World): readonly string[] {
  return isOwn(value, world) ? world.aliases : [value];
}

function isOwn(trustDomain: string, { aliases }: World): boolean {
  return trustDomain === "cluster.local" || aliases.includes(trustDomain);
}
