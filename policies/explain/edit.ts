import type { Attributes, PolicySet, Rule, Span } from "../model/index.ts";
import type { PolicyLine } from "../reference/lines.ts";
import type { Situation } from "../reference/situation.ts";

/** One change of a policy text. */
export interface Edit {
  /** What is to be done, one sentence. */
  readonly message: string;
  /** The text that changes, or after which the new one goes; absent where a new document is made. */
  readonly span?: Span;
  /** `replace` the text at the span, `insert` a new line after it, `set` a key of the rule there, `remove` one, or `create` a document. */
  readonly action: "replace" | "insert" | "set" | "remove" | "create";
  /** The new YAML, or for `remove` the key that goes. */
  readonly yaml: string;
}

/** An edit and what it makes of the rule that it is about. */
export interface Change {
  readonly edit: Edit;
  /** How much it changes, to find the smallest: 1 for a value, more for what takes a condition away or adds a rule. */
  readonly size: number;
  apply(rule: Rule): Rule;
}

/** What a change is made of: a line, what the request is, and the set. */
export interface Asked {
  readonly line: PolicyLine;
  readonly attributes: Attributes;
  readonly situation: Situation;
  readonly set: PolicySet;
}

/** The set with a rule of one of its policies in place of another. */
export function withRule(set: PolicySet, { owner, of }: Pick<PolicyLine, "owner" | "of">, rule: Rule): PolicySet {
  const replaced = (rules: readonly Rule[]): readonly Rule[] => rules.map((each) => (each === of ? rule : each));
  const policies = set.policies.map((policy) =>
    policy === owner ? { ...policy, allow: replaced(policy.allow), deny: replaced(policy.deny) } : policy,
  );
  return { ...set, policies };
}
