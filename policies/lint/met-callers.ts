import type { Caller } from "../match/caller.ts";
import type { AccessPolicy, CallerSelector, Rule } from "../model/index.ts";
import { type CallerClass, callerClasses } from "../space/caller-classes.ts";
import { type Met, meet } from "../space/lines.ts";
import type { Side } from "../space/side.ts";

/** A kind of caller, and who it is to the set. */
export interface KnownCaller {
  readonly of: CallerClass;
  readonly caller: Caller;
}

/** Which callers each rule can meet, isolation aside, and what is then left of it; worked out once a rule. */
export class MetCallers {
  readonly callers: readonly KnownCaller[];
  readonly #byName: ReadonlyMap<string, number>;
  readonly #met = new WeakMap<Rule, ReadonlyMap<number, Met>>();

  constructor(side: Side) {
    this.callers = callerClasses([side]).flatMap((of) => {
      const caller = side.caller(of.id);
      return caller === undefined ? [] : [{ of, caller }];
    });
    this.#byName = new Map(this.callers.map(({ of }, at) => [of.name, at]));
  }

  /** By place in `callers`, in their order. */
  of(rule: Rule, policy: AccessPolicy): ReadonlyMap<number, Met> {
    const known = this.#met.get(rule);
    if (known !== undefined) return known;
    const met = new Map<number, Met>();
    for (const at of this.#candidates(rule.from)) {
      const caller = this.callers[at]?.caller;
      const left = caller && meet(rule, policy, caller, []);
      if (left !== undefined) met.set(at, left);
    }
    this.#met.set(rule, met);
    return met;
  }

  /** Places of the callers that a `from` may match: those that it names, where each entry names one. */
  #candidates(from: readonly CallerSelector[] | undefined): Iterable<number> {
    const named = from?.map(({ workload }) => workload && this.#byName.get(`${workload.namespace}/${workload.name}`));
    if (named === undefined || from?.some(({ workload }) => workload === undefined) === true)
      return this.callers.keys();
    return [...new Set(named.filter((at) => at !== undefined))].sort((left, right) => left - right);
  }
}
