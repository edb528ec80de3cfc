import { selectorText } from "../../explain/matcher-text.ts";
import type { CallerSelector, Rule } from "../../model/index.ts";
import { matcherChanges } from "./matcher-mutants.ts";
import type { MutantOperator, RuleChange } from "./mutant.ts";

/** Changes of who a rule is about. */
export function callerChanges(rule: Rule): readonly RuleChange[] {
  const { from } = rule;
  if (from === undefined) return [];
  return [
    ...anyone(rule, from),
    ...selectorListChanges(from).map(({ operator, text, span, edited }) => ({
      operator,
      text,
      span,
      edited: { ...rule, from: edited },
    })),
  ];
}

/** Everyone with an identity instead of those named; in a deny also everyone at all. */
function anyone(rule: Rule, from: readonly CallerSelector[]): readonly RuleChange[] {
  const [first] = from;
  if (first === undefined || from.some(({ anyone: who }) => who === "authenticated")) return [];
  const edited: Rule = { ...rule, from: [...from, { anyone: "authenticated", span: first.span }] };
  return [{ operator: "widen-caller", text: "let `from` be `anyone: authenticated`", span: first.span, edited }];
}

/** One change of a list of selectors. */
export interface SelectorListChange {
  readonly operator: MutantOperator;
  readonly text: string;
  readonly span: CallerSelector["span"];
  readonly edited: readonly CallerSelector[];
}

/** Changes of a list of selectors: an entry less, a key or label of an entry less, a label's test changed. */
export function selectorListChanges(selectors: readonly CallerSelector[]): readonly SelectorListChange[] {
  return selectors.flatMap((selector, at): readonly SelectorListChange[] => {
    const { span } = selector;
    const edited = (to: CallerSelector): readonly CallerSelector[] => selectors.with(at, to);
    const dropped: readonly SelectorListChange[] =
      selectors.length < 2
        ? []
        : [
            {
              operator: "drop-caller",
              text: `drop the caller ${selectorText(selector)}`,
              span,
              edited: selectors.filter((one) => one !== selector),
            },
          ];
    return [
      ...dropped,
      ...labelChanges(selector).map(([operator, text, to]) => ({ operator, text, span, edited: edited(to) })),
      ...keyChanges(selector).map(([text, to]) => ({
        operator: "widen-caller" as const,
        text,
        span,
        edited: edited(to),
      })),
    ];
  });
}

type Change = readonly [operator: MutantOperator, text: string, edited: CallerSelector];

function labelChanges(selector: CallerSelector): readonly Change[] {
  const { labels } = selector;
  if (labels === undefined) return [];
  const changes: Change[] = [];
  for (const [key, matcher] of labels) {
    if (labels.size > 1)
      changes.push([
        "drop-label",
        `drop the label \`${key}\``,
        { ...selector, labels: new Map([...labels].filter(([one]) => one !== key)) },
      ]);
    for (const { operator, text, edited } of matcherChanges(matcher))
      changes.push([
        operator,
        `${text} of the label \`${key}\``,
        { ...selector, labels: new Map([...labels, [key, edited]]) },
      ]);
  }
  return changes;
}

function keyChanges(selector: CallerSelector): readonly (readonly [string, CallerSelector])[] {
  const { addresses, labels, namespace, spiffe, ...rest } = selector;
  const changes: (readonly [string, CallerSelector])[] = [];
  const others = Object.keys(rest).length > 1 || labels !== undefined || spiffe !== undefined;
  const base = {
    ...rest,
    ...(labels === undefined ? {} : { labels }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(spiffe === undefined ? {} : { spiffe }),
  };
  if (addresses !== undefined && others) changes.push(["drop `addresses`", base]);
  if (labels !== undefined && namespace !== "*")
    changes.push(["let `labels` look in every namespace", { ...selector, namespace: "*" }]);
  return changes;
}
