import type { Matcher } from "../../model/index.ts";
import type { DraftMatcher } from "../draft/draft.ts";
import type { Say } from "../draft/say.ts";
import { draftMatcher } from "../translate/draft-matcher.ts";
import { both as bothMatchers } from "../translate/value-tests.ts";
import { textForm } from "./identity-text.ts";
import type { HeaderTest } from "./policy.ts";

/** One way to satisfy all header tests: a matcher a header. */
export type HeaderChoice = Readonly<Record<string, DraftMatcher>>;

/** Headers that the sidecar withholds or writes itself, or that are not headers to a policy here. */
const OUT_OF_REACH =
  /^(?::.*|host|upgrade|authorization|cookie|proxy-authorization|x-cellwall-.*|x-forwarded-client-cert)$/;

/** Whether a rule may test a header, with these values. */
export function canTest({ name, values }: HeaderTest): boolean {
  const clean = values.every((value) => /^[!-~]([ -~]*[!-~])?$/.test(value));
  return clean && /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !OUT_OF_REACH.test(name);
}

/** The ways to satisfy the tests, each a rule of its own: values OR, tests AND. */
export function headerChoices(
  tests: readonly HeaderTest[],
  effect: "allow" | "deny",
  say: Say,
): readonly HeaderChoice[] {
  const ways = tests.reduce<readonly Way[]>(
    (before, test) => {
      const matchers = test.negated ? negatedMatchers(test, effect, say) : positiveMatchers(test, effect, say);
      return before.flatMap((way) => matchers.flatMap((matcher) => joined(way, test.name, matcher, effect, say)));
    },
    [new Map()],
  );
  return ways.map((way) => Object.fromEntries([...way].map(([name, matcher]) => [name, draftMatcher(matcher)])));
}

/** A matcher a header, by name. */
type Way = ReadonlyMap<string, Matcher>;

/** A way with one more test: none where no value passes two tests of one header. */
function joined(way: Way, name: string, matcher: Matcher, effect: "allow" | "deny", say: Say): readonly Way[] {
  const both = bothMatchers(way.get(name), matcher);
  if (both === "never") return [];
  if (both !== undefined) return [new Map(way).set(name, both)];
  if (effect === "deny") say("narrower", "one header is tested twice; the deny holds for what one test is about");
  else say("narrower", "two tests of one header cannot be one; requests that need both are denied");
  return effect === "deny" ? [way] : [];
}

function positiveMatchers({ name, values }: HeaderTest, effect: "allow" | "deny", say: Say): readonly Matcher[] {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return [{ kind: "present" }];
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  const others = forms.flatMap((form): readonly Matcher[] =>
    form.kind === "prefix" || form.kind === "suffix" ? [{ kind: form.kind, value: form.text }] : [],
  );
  if (effect === "deny")
    say(
      "narrower",
      "a deny is hit by any value of a list, the source compares the whole list",
      "list-header",
      undefined,
      name,
    );
  else if (others.length > 0)
    say("narrower", "an allow needs every value of a repeated header to match", "list-header", undefined, name);
  return [...(exact.length === 0 ? [] : [oneOf(exact)]), ...others];
}

const oneOf = (values: readonly string[]): Matcher =>
  values.length === 1 ? { kind: "equals", value: values[0] ?? "" } : { kind: "in", values };

/** Absent, or none of the values: in the source, a missing header satisfies `notValues`. */
function negatedMatchers({ name, values }: HeaderTest, effect: "allow" | "deny", say: Say): readonly Matcher[] {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return [{ kind: "absent" }];
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  if (exact.length === forms.length) {
    say(
      "narrower",
      "values of a repeated header are compared one by one, the source compares the whole list",
      "list-header",
      undefined,
      name,
    );
    return [
      { kind: "absent" },
      exact.length === 1 ? { kind: "not", value: exact[0] ?? "" } : { kind: "notIn", values: exact },
    ];
  }
  say("narrower", "a header's value cannot be kept from beginning or ending in a text; only its absence is taken");
  return effect === "allow" ? [{ kind: "absent" }] : [{ kind: "absent" }, { kind: "present" }];
}
