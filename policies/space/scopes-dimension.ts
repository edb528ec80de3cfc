import { parseSpiffeId } from "../../spiffe/index.ts";
import { tokenMatches } from "../match/token.ts";
import type { Attributes, JwtCondition, Matcher, Rule } from "../model/index.ts";
import { claimListSpec } from "./claim-dimension.ts";
import { type Cells, type Condition, cellsOfCandidates, Dimension, type Truth4, truthOf } from "./dimension.ts";
import { oneOf } from "./text-machine.ts";
import { valueLists } from "./value-lists.ts";

/** The claims whose words are a token's scopes. */
export type ScopeClaim = "scope" | "scp";

/** Scopes that an allow needs all of, a deny one of; or a matcher of a claim that holds them. */
export type ScopesSpec =
  | { readonly kind: "scopes"; readonly effect: Rule["effect"]; readonly scopes: readonly string[] }
  | { readonly kind: "claim"; readonly effect: Rule["effect"]; readonly claim: ScopeClaim; readonly matcher: Matcher };

type Specs = readonly (readonly [Condition, ScopesSpec])[];

/** The two claims of a token, each left out where it is not there. */
interface Held {
  readonly scope?: unknown;
  readonly scp?: unknown;
}

/** How many kinds of tokens are told apart at most. */
const MAX_KINDS = 20_000;

/** The scopes of a valid token, and the claims that hold them. */
export class ScopesDimension extends Dimension<ScopesSpec> {
  readonly #provider: string;

  constructor(provider: string) {
    super("scopes", provider);
    this.#provider = provider;
  }

  protected divide(specs: Specs): Cells {
    const { held, exact } = specs.some(([, { kind }]) => kind === "claim") ? claimPairs(specs) : scopeSets(specs);
    const cells = cellsOfCandidates(specs, held, testHeld, (each) => ({
      kind: "scopes",
      provider: this.#provider,
      claims: { ...each },
    }));
    return { cells, exact };
  }
}

const ASKED: Omit<Attributes, "claims"> = {
  destination: parseSpiffeId("spiffe://example/x"),
  listener: { port: 1, kind: "mesh" },
  http: { method: "GET", path: "/", host: "x", headers: new Map(), protocol: "HTTP/2" },
  now: new Date(0),
};

function testHeld(spec: ScopesSpec, held: Held): Truth4 {
  const claims = new Map(spec.kind === "claim" ? [[spec.claim, spec.matcher]] : []);
  const condition: JwtCondition = { provider: "p", scopes: spec.kind === "scopes" ? spec.scopes : [], claims };
  const token = { kind: "verified", payload: { exp: 1, ...held } } as const;
  return truthOf(tokenMatches(spec.effect, condition, { ...ASKED, claims: new Map([["p", token]]) }) === true);
}

interface Kinds {
  readonly held: readonly Held[];
  readonly exact: boolean;
}

/** Sets of scopes, where nothing asks for the claims: of scopes that no condition tells apart none, one, or all. */
function scopeSets(specs: Specs): Kinds {
  let sets: (readonly string[])[] = [[]];
  for (const group of alike(specs)) {
    const some = group.length === 1 ? [group] : [group.slice(0, 1), group];
    if (sets.length * (some.length + 1) > MAX_KINDS) return { held: heldOf([...sets, named(specs)]), exact: false };
    sets = [...sets, ...some.flatMap((more) => sets.map((set) => [...set, ...more]))];
  }
  return { held: heldOf(sets), exact: true };
}

function heldOf(sets: readonly (readonly string[])[]): readonly Held[] {
  return sets.map((set) => (set.length === 0 ? {} : { scope: set.join(" ") }));
}

function named(specs: Specs): readonly string[] {
  return [...new Set(specs.flatMap(([, spec]) => (spec.kind === "scopes" ? spec.scopes : [])))];
}

function alike(specs: Specs): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const scope of named(specs)) {
    const key = specs.map(([, spec]) => Number(spec.kind === "scopes" && spec.scopes.includes(scope))).join("");
    groups.set(key, [...(groups.get(key) ?? []), scope]);
  }
  return [...groups.values()];
}

/** Every kind of either claim together. */
function claimPairs(specs: Specs): Kinds {
  const [scope, scp] = [claimKinds(specs, "scope"), claimKinds(specs, "scp")];
  const exact = scope.exact && scp.exact && scope.values.length * scp.values.length <= MAX_KINDS;
  const pairs = scope.values.flatMap((one) =>
    scp.values.map((other) => ({
      ...(one === undefined ? {} : { scope: one }),
      ...(other === undefined ? {} : { scp: other }),
    })),
  );
  return { held: pairs.slice(0, MAX_KINDS), exact };
}

/** One claim, as its matchers and the scopes that are asked for tell it apart; each list also with something unreadable. */
function claimKinds(specs: Specs, claim: ScopeClaim): { readonly values: readonly unknown[]; readonly exact: boolean } {
  const own = specs.flatMap(([, spec]) => (spec.kind === "claim" && spec.claim === claim ? [claimListSpec(spec)] : []));
  const scopes = named(specs).map((scope) => ({ over: "some", machine: oneOf([scope]) }) as const);
  const { lists, exact } = valueLists([...own, ...scopes]);
  const texts: readonly (readonly string[])[] = [[], ...lists.map(({ values }) => values)];
  return { values: [undefined, ...texts, ...texts.map((values) => [...values, {}])], exact };
}
