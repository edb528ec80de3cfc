import type { Rule, TokenState } from "../model/index.ts";
import {
  type Cells,
  type Condition,
  cellsOfCandidates,
  Dimension,
  FALSE,
  NO_TOKEN,
  TRUE,
  type Truth4,
  truthOf,
  UNKNOWN,
} from "./dimension.ts";

type Specs = readonly (readonly [Condition, TokenSpec])[];
type State = TokenState["kind"] | "not-run";

/**
 * `verified` asks for a valid token, so that its scopes and claims can be looked at. `otherwise` is the rest of a
 * condition: what it says where there is none; `absence` is that a deny asks for missing claims only.
 */
export type TokenSpec =
  | { readonly kind: "verified" }
  | { readonly kind: "otherwise"; readonly effect: Rule["effect"]; readonly absence: boolean };

/** Whether a provider verified a token; that it did not run only where `unknowns` says so. */
export class TokenDimension extends Dimension<TokenSpec> {
  readonly #provider: string;
  readonly #unknowns: boolean;

  constructor(provider: string, unknowns: boolean) {
    super("token", provider);
    this.#provider = provider;
    this.#unknowns = unknowns;
  }

  protected divide(specs: Specs): Cells {
    const states: readonly State[] = this.#unknowns ? ["absent", "verified", "not-run"] : ["absent", "verified"];
    const cells = cellsOfCandidates(specs, states, testToken, (state) => ({
      kind: "token",
      provider: this.#provider,
      state,
    }));
    return { cells, exact: true };
  }
}

function testToken(spec: TokenSpec, state: State): Truth4 {
  if (spec.kind === "verified") return truthOf(state === "verified");
  if (state === "verified") return FALSE;
  if (state === "not-run") return UNKNOWN;
  if (spec.effect === "allow") return NO_TOKEN;
  return spec.absence ? TRUE : FALSE;
}
