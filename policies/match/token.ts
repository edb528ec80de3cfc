import type { Attributes, JwtCondition, Matcher, Rule, TokenState } from "../model/index.ts";
import type { Truth } from "./truth.ts";
import { valueMatches } from "./value.ts";

type Payload = Readonly<Record<string, unknown>>;

/** What a token condition says; `no-token` is a false that a token alone could make true, answered with 401. */
export type TokenTruth = Truth | "no-token";

/** Whether a condition on a verified token holds. A connection carries no token. */
export function tokenMatches(effect: Rule["effect"], condition: JwtCondition, attributes: Attributes): TokenTruth {
  if (attributes.tcp !== undefined) return effect === "deny" && asksForAbsence(condition);
  const state = attributes.claims?.get(condition.provider);
  if (state === undefined) return "unknown";
  const payload = validPayload(state, attributes.now);
  if (payload === undefined) return effect === "deny" ? asksForAbsence(condition) : "no-token";
  return effect === "allow" ? allowMatches(condition, payload) : denyMatches(condition, payload);
}

/**
 * The payload of a token that is valid now.
 *
 * SECURITY: a token without a numeric `exp`, or outside its `nbf` and `exp`, counts as absent whatever verified it.
 */
function validPayload(state: TokenState, now: Date): Payload | undefined {
  if (state.kind === "absent") return undefined;
  const { payload } = state;
  const [exp, nbf] = [own(payload, "exp"), own(payload, "nbf")];
  const seconds = now.getTime() / 1_000;
  if (typeof exp !== "number" || !(seconds < exp)) return undefined;
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= seconds)) return undefined;
  return payload;
}

/** A deny that asks for nothing but missing claims is hit where the whole token is missing. */
function asksForAbsence(condition: JwtCondition): boolean {
  if (condition.scopes.length > 0 || condition.claims.size === 0) return false;
  return [...condition.claims.values()].every((matcher) => matcher.kind === "absent");
}

function allowMatches(condition: JwtCondition, payload: Payload): boolean {
  const scopes = scopesOf(payload);
  if (!condition.scopes.every((scope) => scopes.has(scope))) return false;
  for (const [name, matcher] of condition.claims) {
    if (!claimPasses(matcher, claimOf(payload, name))) return false;
  }
  return true;
}

/** In a deny any one of the scopes is enough, and any member of a set. */
function denyMatches(condition: JwtCondition, payload: Payload): boolean {
  const scopes = scopesOf(payload);
  if (condition.scopes.length > 0 && !condition.scopes.some((scope) => scopes.has(scope))) return false;
  for (const [name, matcher] of condition.claims) {
    if (!claimHits(matcher, claimOf(payload, name))) return false;
  }
  return true;
}

function claimPasses(matcher: Matcher, claim: Claim): boolean {
  if (matcher.kind === "absent") return !claim.present;
  if (!claim.readable) return false;
  if (matcher.kind === "present") return claim.present;
  if (matcher.kind === "has" || matcher.kind === "hasAny")
    return claim.texts.some((text) => valueMatches(matcher, text));
  return claim.texts.length > 0 && claim.texts.every((text) => valueMatches(matcher, text));
}

function claimHits(matcher: Matcher, claim: Claim): boolean {
  if (!claim.present) return matcher.kind === "absent";
  if (!claim.readable) return true;
  return matcher.kind === "present" || claim.texts.some((text) => valueMatches(matcher, text));
}

/** A claim as texts: one of a string, number or boolean, one a member of a list, one a word of `scope` and `scp`. */
interface Claim {
  readonly present: boolean;
  /** Whether the claim holds nothing but strings, numbers and booleans. */
  readonly readable: boolean;
  readonly texts: readonly string[];
}

const ABSENT: Claim = { present: false, readable: true, texts: [] };

function claimOf(payload: Payload, name: string): Claim {
  const value = lookUp(payload, name);
  if (value === undefined) return ABSENT;
  if (typeof value === "string" && (name === "scope" || name === "scp")) return readable(words(value));
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = members.flatMap(textOf);
  return { present: true, readable: texts.length === members.length, texts };
}

function readable(texts: readonly string[]): Claim {
  return { present: true, readable: true, texts };
}

function textOf(value: unknown): readonly string[] {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [String(value)] : [];
}

function scopesOf(payload: Payload): ReadonlySet<string> {
  return new Set([...claimOf(payload, "scope").texts, ...claimOf(payload, "scp").texts]);
}

function words(text: string): readonly string[] {
  return text.split(/[ \t]+/).filter((word) => word !== "");
}

/** The claim of that very name, else one reached through its dots (`realm_access.roles`). Own properties only. */
function lookUp(payload: Payload, name: string): unknown {
  const direct = own(payload, name);
  if (direct !== undefined) return direct;
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    const inner = own(payload, name.slice(0, dot));
    const found = isRecord(inner) ? lookUp(inner, name.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function own(payload: Payload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

function isRecord(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
