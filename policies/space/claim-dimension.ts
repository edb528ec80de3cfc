import type { Matcher, Rule } from "../model/index.ts";
import { type Cell, type Cells, type Condition, Dimension, type Part } from "./dimension.ts";
import { matcherMachine } from "./matcher-machine.ts";
import { type ListSpec, truthsOf, valueLists } from "./value-lists.ts";

type Specs = readonly (readonly [Condition, ClaimSpec])[];

/** A matcher of a claim as a rule of that effect reads it. */
export interface ClaimSpec {
  readonly effect: Rule["effect"];
  readonly matcher: Matcher;
}

/** Claims whose values the rest of a token depends on, so that they are no dimension of their own. */
const BOUND: ReadonlySet<string> = new Set(["exp", "nbf"]);

/** One claim of a valid token, of those that hold no scopes: missing, something that is no text, an empty list, or texts. */
export class ClaimDimension extends Dimension<ClaimSpec> {
  readonly #provider: string;
  readonly #claim: string;

  constructor(provider: string, claim: string) {
    super("claim", `${provider} ${claim}`);
    this.#provider = provider;
    this.#claim = claim;
  }

  protected divide(specs: Specs): Cells {
    const part = (value: unknown): Part => ({ kind: "claim", provider: this.#provider, name: this.#claim, value });
    const special = BOUND.has(this.#claim) ? [] : SPECIAL;
    const { lists, exact } = valueLists(specs.map(([, spec]) => claimListSpec(spec)));
    const one = (values: readonly string[]): unknown => (values.length === 1 ? values[0] : values);
    const cells = lists.map(
      ({ values, truths }): Cell => ({
        part: part(one(values)),
        truths: truthsOf(specs, (at) => truths[at] === true),
      }),
    );
    const others = special.map(
      (value): Cell => ({
        part: part(value),
        truths: truthsOf(specs, (at) => holdsOfSpecial(specs[at]?.[1], value)),
      }),
    );
    return { cells: [...others, ...cells], exact: exact && !BOUND.has(this.#claim) };
  }
}

const UNREADABLE: readonly unknown[] = [{}];
const SPECIAL: readonly (readonly unknown[] | undefined)[] = [undefined, [], UNREADABLE];

function holdsOfSpecial(spec: ClaimSpec | undefined, value: readonly unknown[] | undefined): boolean {
  if (value === undefined) return spec?.matcher.kind === "absent";
  if (value === UNREADABLE) return spec?.effect === "deny";
  return spec?.matcher.kind === "present";
}

/** What a matcher asks of the texts of a claim. */
export function claimListSpec({ effect, matcher }: ClaimSpec): ListSpec {
  const some = effect === "deny" || matcher.kind === "has" || matcher.kind === "hasAny";
  return { over: some ? "some" : "every", machine: matcherMachine(matcher) };
}
