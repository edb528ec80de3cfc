import type { DraftClaim, DraftProvider } from "../draft/draft.ts";
import { type TextForm, textForm, textMatches } from "./identity-text.ts";
import type { TokenTest } from "./policy.ts";

/** Tests of claims, all of which hold. `token` says whether there must be a token at all. */
export interface TokenChoice {
  readonly token: boolean;
  readonly claims: Readonly<Record<string, DraftClaim>>;
}

/** What a test asks of the tokens of one issuer: nothing that they have, only that there is one, or a claim's text. */
type Asked =
  | { readonly kind: "never" }
  | { readonly kind: "any-token" }
  | { readonly kind: "claim"; readonly name: string; readonly forms: readonly TextForm[] };

/** Claims that are one text in every token that verifies, so that they are compared as such. */
const ONE_TEXT: ReadonlySet<string> = new Set(["iss", "sub"]);

const ANY_TOKEN: TokenChoice = { token: true, claims: {} };
const NOTHING_ASKED: TokenChoice = { token: false, claims: {} };

/** What one test, its negation aside, asks of the tokens of an issuer. */
export function askedOf({ values, claim }: TokenTest, { issuer }: DraftProvider): Asked {
  if (claim === undefined) return principalAsked(values, issuer);
  const forms = values.map(textForm);
  if (claim.length === 1 && claim[0] === "iss")
    return { kind: forms.some((form) => textMatches(form, issuer)) ? "any-token" : "never" };
  return { kind: "claim", name: claim.join("."), forms };
}

/** `issuer/subject`, parted at the last slash; a star may begin or end the whole. */
function principalAsked(values: readonly string[], issuer: string): Asked {
  const forms = values.flatMap((value): readonly TextForm[] => {
    const { issuers, subject } = principalForm(value);
    return textMatches(issuers, issuer) ? [subject] : [];
  });
  return forms.length === 0 ? { kind: "never" } : { kind: "claim", name: "sub", forms };
}

function principalForm(value: string): { readonly issuers: TextForm; readonly subject: TextForm } {
  const any: TextForm = { kind: "any" };
  const slash = value.lastIndexOf("/");
  const exact = (text: string): TextForm => ({ kind: "exact", text });
  if (value === "*") return { issuers: any, subject: any };
  if (slash === -1) {
    const form = textForm(value);
    if (form.kind === "suffix") return { issuers: any, subject: form };
    return { issuers: form, subject: form.kind === "prefix" ? any : exact("") };
  }
  const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value.startsWith("*"))
    return { issuers: issuer === "*" ? any : { kind: "suffix", text: issuer.slice(1) }, subject: exact(subject) };
  return { issuers: exact(issuer), subject: value.endsWith("*") ? textForm(subject) : exact(subject) };
}

/** The ways for a token of an issuer to pass a test that is not negated. */
export function passing(asked: Asked): readonly TokenChoice[] {
  if (asked.kind === "never") return [];
  if (asked.kind === "any-token") return [ANY_TOKEN];
  const { name, forms } = asked;
  if (forms.some(({ kind }) => kind === "any")) return [{ token: true, claims: { [name]: { present: true } } }];
  const exact = exactTexts(forms);
  const others = forms.flatMap((form): readonly DraftClaim[] => {
    if (form.kind === "prefix") return [{ prefix: form.text }];
    return form.kind === "suffix" ? [{ suffix: form.text }] : [];
  });
  const claims = [...(exact.length === 0 ? [] : [oneOf(name, exact)]), ...others];
  return claims.map((claim) => ({ token: true, claims: { [name]: claim } }));
}

/**
 * The ways for a request not to pass a test: with a token of the issuer, or without one. Of a text's beginning or end the
 * language cannot ask that it is not there, so that an allow takes less for it and a deny more.
 */
export function failing(asked: Asked, effect: "allow" | "deny"): readonly TokenChoice[] {
  if (asked.kind === "never") return [NOTHING_ASKED];
  // A token always names its issuer, so that this one is missing only where the token is.
  if (asked.kind === "any-token") return [{ token: false, claims: { iss: { absent: true } } }];
  const { name, forms } = asked;
  const absent: TokenChoice = { token: false, claims: { [name]: { absent: true } } };
  if (forms.some(({ kind }) => kind === "any")) return [absent];
  const exact = exactTexts(forms);
  if (exact.length < forms.length) return effect === "deny" ? [NOTHING_ASKED] : [absent];
  if (exact.every((text) => text === "")) return [NOTHING_ASKED];
  const [only = "", ...more] = exact;
  return [
    absent,
    { token: true, claims: { [name]: more.length === 0 ? { not: only } : { notIn: [...new Set(exact)] } } },
  ];
}

const exactTexts = (forms: readonly TextForm[]): readonly string[] =>
  forms.flatMap((form) => (form.kind === "exact" && form.text !== "" ? [form.text] : []));

function oneOf(name: string, texts: readonly string[]): DraftClaim {
  const [only = "", ...more] = [...new Set(texts)];
  if (ONE_TEXT.has(name)) return more.length === 0 ? only : { in: [only, ...more] };
  return more.length === 0 ? { has: only } : { hasAny: [only, ...more] };
}

/** The ways to satisfy two lists of ways at once; `undefined` where one claim would need two tests. */
export function allOf(lists: readonly (readonly TokenChoice[])[]): readonly TokenChoice[] | undefined {
  return lists.reduce<readonly TokenChoice[] | undefined>(
    (ways, list) => {
      const joined = ways?.flatMap((way) => list.map((other) => together(way, other)));
      if (joined === undefined || joined.some((one) => one === undefined)) return undefined;
      return joined.flatMap((one) => (one === undefined || one === "never" ? [] : [one]));
    },
    [NOTHING_ASKED],
  );
}

function together(a: TokenChoice, b: TokenChoice): TokenChoice | "never" | undefined {
  const claims = new Map(Object.entries(a.claims));
  for (const [name, claim] of Object.entries(b.claims)) {
    const before = claims.get(name);
    const joined = before === undefined ? claim : both(name, before, claim);
    if (joined === undefined || joined === "never") return joined;
    claims.set(name, joined);
  }
  const [token, issuer] = [a.token || b.token, claims.get("iss")];
  // A token always names its issuer.
  if (token && issuer !== undefined && isAbsent(issuer)) return "never";
  return { token, claims: Object.fromEntries(claims) };
}

function both(name: string, a: DraftClaim, b: DraftClaim): DraftClaim | "never" | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  if (isAbsent(a) || isAbsent(b)) return "never";
  if (isPresent(a)) return b;
  if (isPresent(b)) return a;
  const [one, other] = [textsOf(a), textsOf(b)];
  if (one === undefined || other === undefined || !ONE_TEXT.has(name)) return undefined;
  const shared = one.filter((text) => other.includes(text));
  return shared.length === 0 ? "never" : oneOf(name, shared);
}

/** Whether a claim is asked not to be there. */
export const isAbsent = (claim: DraftClaim): boolean => typeof claim !== "string" && "absent" in claim;
const isPresent = (claim: DraftClaim): boolean => typeof claim !== "string" && "present" in claim;

function textsOf(claim: DraftClaim): readonly string[] | undefined {
  if (typeof claim === "string") return [claim];
  return "in" in claim ? claim.in : undefined;
}
