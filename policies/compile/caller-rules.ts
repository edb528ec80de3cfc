import type { Caller } from "../match/caller.ts";
import type { CompiledRule } from "./compiled-rule.ts";

/** A rule and its place in the destination's list. */
export interface PlacedRule {
  readonly rule: CompiledRule;
  readonly place: number;
}

/** A destination's rules by the workloads that their `from` names, so that a caller is held against few that cannot match it. */
export class CallerRules {
  readonly #named = new Map<string, PlacedRule[]>();
  /** Rules that others can match, too. */
  readonly #open: PlacedRule[] = [];

  constructor(rules: readonly CompiledRule[]) {
    for (const [place, rule] of rules.entries()) {
      const names = namesOf(rule);
      if (names === undefined) this.#open.push({ rule, place });
      else for (const name of names) this.#add(name, { rule, place });
    }
  }

  /** The rules that may match a caller, in order of their places. */
  candidates(caller: Caller): readonly PlacedRule[] {
    if (caller.kind !== "registered") return this.#open;
    const named = this.#named.get(`${caller.workload.namespace}/${caller.workload.name}`);
    if (named === undefined) return this.#open;
    return [...this.#open, ...named].sort((left, right) => left.place - right.place);
  }

  #add(name: string, placed: PlacedRule): void {
    const list = this.#named.get(name);
    if (list === undefined) this.#named.set(name, [placed]);
    else list.push(placed);
  }
}

/**
 * The workloads of which one must call; nothing where others can match.
 * SECURITY: only an entry's `workload` is looked at, which matches no caller but the registered one of that name.
 */
function namesOf({ from }: CompiledRule): ReadonlySet<string> | undefined {
  const names = from?.map(({ workload }) => workload && `${workload.namespace}/${workload.name}`);
  return names?.every((name) => name !== undefined) === true ? new Set(names) : undefined;
}
