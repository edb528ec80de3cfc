import type { DraftMatcher } from "../draft/draft.ts";
import type { Say } from "../draft/say.ts";
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
  return tests.reduce<readonly HeaderChoice[]>(
    (choices, test) => {
      const matchers = test.negated ? negatedMatchers(test, effect, say) : positiveMatchers(test, effect, say);
      return choices.flatMap((choice) => matchers.map((matcher) => ({ ...choice, [test.name]: matcher })));
    },
    [{}],
  );
}

function positiveMatchers({ name, values }: HeaderTest, effect: "allow" | "deny", say: Say): readonly DraftMatcher[] {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return [{ present: true }];
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  const others = forms.flatMap((form): readonly DraftMatcher[] => {
    if (form.kind === "prefix") return [{ prefix: form.text }];
    return form.kind === "suffix" ? [{ suffix: form.text }] : [];
  });
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
  return [...(exact.length === 0 ? [] : [exactly(exact)]), ...others];
}

function exactly(values: readonly string[]): DraftMatcher {
  const [only, ...more] = values;
  return only !== undefined && more.length === 0 ? only : { in: values };
}

/** Absent, or none of the values: in the source, a missing header satisfies `notValues`. */
function negatedMatchers({ name, values }: HeaderTest, effect: "allow" | "deny", say: Say): readonly DraftMatcher[] {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return [{ absent: true }];
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  if (exact.length === forms.length) {
    say(
      "narrower",
      "values of a repeated header are compared one by one, the source compares the whole list",
      "list-header",
      undefined,
      name,
    );
    return [{ absent: true }, exact.length === 1 ? { not: exact[0] ?? "" } : { notIn: exact }];
  }
  say("narrower", "a header's value cannot be kept from beginning or ending in a text; only its absence is taken");
  return effect === "allow" ? [{ absent: true }] : [{ absent: true }, { present: true }];
}
