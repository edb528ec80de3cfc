import type { WitnessRequest } from "../../findings/finding.ts";
import { printable } from "../../printable.ts";
import type { DraftJwt, DraftProvider, DraftRule } from "../draft/draft.ts";
import type { Say } from "../draft/say.ts";
import type { RequestScope } from "../report.ts";
import type { IssuersOfPolicy } from "./issuers.ts";
import type { Field, TokenTest } from "./policy.ts";
import { allOf, askedOf, failing, isAbsent, passing, type TokenChoice } from "./token-tests.ts";

/** What a clause asks of tokens: one of `ways` (absent: nothing), and none of what `denied` says. */
export interface TokenWays {
  readonly ways: readonly (DraftJwt | undefined)[];
  readonly denied: readonly DraftJwt[];
}

/** Something that a rule lets through and the source does not, to be shown by a request that is changed so. */
export interface Suspect {
  readonly field: Field;
  readonly scope: RequestScope;
  readonly reason: string;
  readonly change: Partial<WitnessRequest>;
  /** What the scope is about, where it is one thing. */
  readonly subject?: string;
  /** Rules that it comes of, where these are known. */
  readonly rules?: readonly Omit<DraftRule, "name">[];
}

/** What tokens are read in. */
export interface TokenContext {
  readonly effect: "allow" | "deny";
  readonly issuers: IssuersOfPolicy;
  readonly say: (field: Field) => Say;
  readonly suspect: (suspect: Suspect) => void;
}

const NOT_ASKED: TokenWays = { ways: [undefined], denied: [] };
const LEFT_OUT: TokenWays = { ways: [], denied: [] };

/** The token conditions of one clause. What cannot be said is left out of an allow, and holds for every token in a deny. */
export function tokenWays(tests: readonly TokenTest[], context: TokenContext): TokenWays {
  if (tests.length === 0) return NOT_ASKED;
  const { effect, issuers, say } = context;
  const [all, some] = [issuers.all, issuers.some];
  if (all.length + some.length === 0) {
    const asked = tests.some(({ negated }) => !negated);
    for (const test of tests) sayUnverified(effect, asked, say(test));
    return effect === "allow" ? LEFT_OUT : NOT_ASKED;
  }
  for (const test of tests) {
    sayUnseen(test, context);
    sayClaims(test, context);
  }
  if (some.length > 0) for (const test of tests) say(test)("narrower", PARTLY);
  return effect === "allow" ? allowWays(tests, context) : denyWays(tests, context);
}

const PARTLY = "the tokens of some issuers are verified at a part of these workloads only";

const UNVERIFIED =
  "no RequestAuthentication that counts here, and no token provider of a Mesh, says whose tokens are verified";

/** A rule that asks for a token is not missed by a request without one. */
function sayUnverified(effect: "allow" | "deny", asked: boolean, say: Say): void {
  if (effect === "deny") say("narrower", `${UNVERIFIED}; the deny holds whatever the token`);
  else say("unsupported", `${UNVERIFIED}; the rule is left out`, asked ? "token" : undefined);
}

function allowWays(tests: readonly TokenTest[], { issuers, say }: TokenContext): TokenWays {
  const positive = tests.filter(({ negated }) => !negated);
  if (positive.length === 0) {
    const everywhere = [...issuers.all, ...issuers.some];
    const denied = tests.flatMap((test) =>
      everywhere.flatMap((provider) => passing(askedOf(test, provider)).map((way) => jwtOf(provider, way))),
    );
    return { ways: [undefined], denied };
  }
  const ways = issuers.all.flatMap((provider) => {
    const joined = allOf(tests.map((test) => waysOf(test, provider, "allow")));
    if (joined === undefined) for (const test of positive) say(test)("narrower", TWICE);
    return (joined ?? []).map((way) => jwtOf(provider, way));
  });
  return { ways, denied: [] };
}

const TWICE = "one claim is tested twice, which one rule cannot; tokens of such an issuer are left out";

function denyWays(tests: readonly TokenTest[], { issuers, say }: TokenContext): TokenWays {
  const positive = tests.filter(({ negated }) => !negated);
  const [first] = positive;
  if (first !== undefined) {
    const ways = [
      ...issuers.all.flatMap((provider) => deniedTokens(tests, first, provider, say)),
      // Where a token is not verified it spares nobody, so that of these what is asked for is looked at alone.
      ...issuers.some.flatMap((provider) => deniedTokens(positive, first, provider, say)),
    ];
    return { ways, denied: [] };
  }
  const relevant = issuers.all.filter((provider) => tests.some((test) => askedOf(test, provider).kind !== "never"));
  const [only, ...more] = relevant;
  if (only === undefined) return NOT_ASKED;
  const joined = more.length > 0 ? undefined : allOf(tests.map((test) => waysOf(test, only, "deny")));
  if (joined === undefined) {
    for (const test of tests)
      say(test)("narrower", "a deny cannot spare the tokens of several issuers; it holds whatever the token");
    return NOT_ASKED;
  }
  const open = joined.some(({ token, claims }) => !token && Object.keys(claims).length === 0);
  return open ? NOT_ASKED : { ways: joined.map((way) => jwtOf(only, way)), denied: [] };
}

function deniedTokens(
  tests: readonly TokenTest[],
  first: TokenTest,
  provider: DraftProvider,
  say: TokenContext["say"],
): readonly DraftJwt[] {
  const joined = allOf(tests.map((test) => waysOf(test, provider, "deny")));
  if (joined === undefined)
    say(first)("narrower", "one claim is tested twice; the deny holds for what one test is about");
  return (joined ?? passing(askedOf(first, provider))).map((way) => jwtOf(provider, way));
}

function waysOf(test: TokenTest, provider: DraftProvider, effect: "allow" | "deny"): readonly TokenChoice[] {
  const asked = askedOf(test, provider);
  return test.negated ? failing(asked, effect) : passing(asked);
}

function jwtOf({ name }: DraftProvider, { token, claims }: TokenChoice): DraftJwt {
  const asked = Object.values(claims);
  if (asked.length === 0) return { provider: name };
  // Claims that are missing are missing without a token as well; every token names its issuer.
  const bare = token && asked.every(isAbsent);
  return { provider: name, claims: bare ? { ...claims, iss: { present: true } } : claims };
}

const UNSEEN: readonly (readonly [RequestScope, string])[] = [
  ["endless-token", "a token without `exp` counts as none"],
  ["token-in-query", "a token is read of the header `authorization` alone"],
];

/** Tokens that the source counts and a sidecar here does not. */
function sayUnseen(test: TokenTest, { effect, say, suspect }: TokenContext): void {
  for (const [scope, reason] of UNSEEN) {
    if ((effect === "allow") !== test.negated) say(test)("narrower", reason, scope);
    else suspect({ field: test, scope, reason, change: { claims: {} } });
  }
}

/** Claims whose form every verified token shares. */
const FIXED: ReadonlySet<string> = new Set(["iss", "sub", "aud"]);

/** Says where claims are compared in another way than the source does. */
function sayClaims(test: TokenTest, { effect, say, issuers, suspect }: TokenContext): void {
  const { claim = ["sub"], values, negated } = test;
  const partial = values.some((value) => value !== "*" && /^\*|\*$/.test(value));
  const name = claim.join(".");
  const speak = say(test);
  if (partial && negated && (name !== "iss" || test.claim === undefined))
    speak("narrower", "a claim cannot be kept from beginning or ending in a text");
  if (FIXED.has(name) && claim.length === 1 && name !== "aud") return;
  if (effect === "allow" ? partial && !negated : negated)
    speak("narrower", "of a claim that is a list, every member is compared", "list-claim");
  if (claim.length === 1 && name === "aud") return;
  speak("narrower", "a claim that is no text or list of texts satisfies no allow and hits every deny", "odd-claim");
  const odd = oddPayload(claim, values);
  if (odd === undefined) return;
  for (const provider of [...issuers.all, ...issuers.some])
    suspect({
      field: test,
      scope: "odd-claim",
      reason: `\`${printable(name, 80)}\` is compared as text, whatever it is, and may be one name with dots`,
      change: { claims: { [provider.name]: { iss: provider.issuer, sub: "x", ...odd } } },
    });
}

/** A payload whose claim the source does not find, but a rule here does. */
function oddPayload(
  claim: readonly string[],
  values: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  const [value = ""] = values;
  const text = value === "*" ? "x" : value.replace(/^\*|\*$/g, "");
  const name = claim.join(".");
  if (claim.length > 1) return { [name]: [text] };
  const dot = name.indexOf(".");
  if (dot > 0) return { [name.slice(0, dot)]: { [name.slice(dot + 1)]: [text] } };
  if (values.includes("*")) return { [name]: "" };
  const number = values.find((one) => /^(?:0|-?[1-9]\d{0,14})$/.test(one));
  if (number !== undefined) return { [name]: Number(number) };
  const truth = values.find((one) => one === "true" || one === "false");
  return truth === undefined ? undefined : { [name]: truth === "true" };
}
