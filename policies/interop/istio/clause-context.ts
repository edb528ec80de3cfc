import type { DraftRule } from "../draft/draft.ts";
import type { Say } from "../draft/say.ts";
import type { World } from "../draft/world.ts";
import type { IssuersOfPolicy } from "./issuers.ts";
import type { Field } from "./policy.ts";
import type { Suspect } from "./token-rules.ts";

/** A rule without its name. */
export type Nameless = Omit<DraftRule, "name">;

/** What a clause comes out as. `denies` are carved out of an allow by rules of their own, which hold for other allows too. */
export interface Compiled {
  readonly rules: readonly Nameless[];
  readonly denies: readonly Nameless[];
  /** The fields that the denies stand for. */
  readonly carved: readonly Field[];
}

/** What a clause is compiled in. */
export interface ClauseContext {
  readonly world: World;
  readonly effect: "allow" | "deny";
  /** Whether some clause of the rule holds a field that a connection does not have. */
  readonly http: boolean;
  /** Ports that the protected workloads listen on; absent where some are not known. */
  readonly ports: readonly number[] | undefined;
  readonly issuers: IssuersOfPolicy;
  readonly suspect: (suspect: Suspect) => void;
  readonly say: (field: Field) => Say;
  readonly sayRule: Say;
}

/** Says something of every field of a kind, or of the rule where it has none. */
export function fieldSay(fields: readonly Field[], { say, sayRule }: ClauseContext): Say {
  const [first] = fields;
  return first === undefined ? sayRule : say(first);
}
