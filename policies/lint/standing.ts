import type { Attributes } from "../model/index.ts";
import { type LineOf, placesOf, type View } from "./line-at.ts";
import type { Ask, Question } from "./question.ts";

/** What one line adds to the set. */
export type Standing =
  /** Without it something would be decided differently: the request, made when it is asked for, at the view's destination shows it. */
  | { readonly kind: "matters"; readonly view: View; readonly attributes: () => Attributes }
  /** No request makes it true. */
  | { readonly kind: "never" }
  /** An allow of which denies hit every request. */
  | { readonly kind: "overridden"; readonly by: readonly LineOf[] }
  /** One other line is true of the very same requests. */
  | { readonly kind: "duplicate"; readonly by: LineOf }
  /** One other line is true of all its requests and more. */
  | { readonly kind: "shadowed"; readonly by: LineOf }
  /** Others together are true of all its requests (or, of an allow, denies hit the rest). */
  | { readonly kind: "redundant"; readonly by: readonly LineOf[] }
  | { readonly kind: "undecided" };

/** One line with what it adds, at the first of its destinations where it adds something. */
export interface LineStanding {
  readonly line: LineOf;
  readonly standing: Standing;
}

/**
 * The standing of the lines of views of one stage, in order of the texts: those of the stage's own policies. Lines that
 * are found to add nothing are left out when the next ones are judged, so that all of them can be removed together; of
 * two that are alike it is the later one that is found.
 */
export function standingsOf(views: readonly View[], ask: Ask): readonly LineStanding[] {
  const judge = new Judge(ask);
  const judged = [...placesOf(views).values()]
    .reverse()
    .map(({ line, views: at }) => ({ line, standing: judge.judge(line, at) }));
  return judged.reverse();
}

class Judge {
  readonly #ask: Ask;
  /** Lines that are as good as removed. */
  readonly #gone = new Set<string>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  judge(line: LineOf, views: readonly View[]): Standing {
    for (const view of views) {
      const answer = this.#ask(this.#uniquely(line, view));
      if (answer.kind === "found") return { kind: "matters", view, attributes: answer.attributes };
      if (answer.kind === "undecided") return { kind: "undecided" };
    }
    const standing = this.#why(line, views);
    if (standing.kind !== "undecided") this.#gone.add(line.lineId);
    return standing;
  }

  /** Asks for a request that this line alone decides: in monitor mode `always` also holds what is refused before any rule. */
  #uniquely(line: LineOf, view: View): Question {
    const others = this.#others(line, view);
    const none = line.rule.effect === "allow" ? [...others, ...view.denies] : others;
    return { view, all: [line], none, refusals: line.rule.always && view.destination.mode === "monitor" };
  }

  /** The lines that do the same as this one where they are true. A deny that is `always` true is replaced by such alone. */
  #others(line: LineOf, view: View): readonly LineOf[] {
    const { effect, always } = line.rule;
    return (effect === "allow" ? view.allows : view.denies).filter(
      (other) => other.lineId !== line.lineId && !this.#gone.has(other.lineId) && (other.rule.always || !always),
    );
  }

  #why(line: LineOf, views: readonly View[]): Standing {
    if (this.#nowhere(views, (view) => ({ view, all: [line], none: [] }))) return { kind: "never" };
    if (line.rule.effect === "allow" && this.#nowhere(views, (view) => ({ view, all: [line], none: view.denies })))
      return { kind: "overridden", by: this.#least(line, views, (view) => view.denies) };
    const single = this.#single(line, views);
    if (single !== undefined) return single;
    const cover = (view: View): readonly LineOf[] =>
      line.rule.effect === "allow" ? [...this.#others(line, view), ...view.denies] : this.#others(line, view);
    return { kind: "redundant", by: this.#least(line, views, cover) };
  }

  #single(line: LineOf, views: readonly View[]): Standing | undefined {
    const [first] = views;
    const candidates = first === undefined ? [] : this.#others(line, first);
    const covering = candidates.find((other) => this.#covers(other, line, views));
    if (covering === undefined) return undefined;
    return this.#covers(line, covering, views)
      ? { kind: "duplicate", by: covering }
      : { kind: "shadowed", by: covering };
  }

  #covers(outer: LineOf, inner: LineOf, views: readonly View[]): boolean {
    const there = ({ allows, denies }: View): boolean => allows.includes(outer) || denies.includes(outer);
    return views.every(there) && this.#nowhere(views, (view) => ({ view, all: [inner], none: [outer] }));
  }

  #nowhere(views: readonly View[], question: (view: View) => Question): boolean {
    return views.every((view) => this.#ask(question(view)).kind === "none");
  }

  /** Of the lines that cover this one, few that do it at every destination. */
  #least(line: LineOf, views: readonly View[], cover: (view: View) => readonly LineOf[]): readonly LineOf[] {
    const known = new Set<LineOf>();
    for (const view of views) {
      const here = cover(view);
      const others = here.filter((other) => known.has(other));
      if (others.length > 0 && this.#coverAt(view, line, others)) continue;
      for (const other of this.#leastAt(view, line, here)) known.add(other);
    }
    return [...known];
  }

  #leastAt(view: View, line: LineOf, cover: readonly LineOf[]): readonly LineOf[] {
    const meeting = cover.filter((other) => this.#ask({ view, all: [line, other], none: [] }).kind !== "none");
    return meeting.reduce<readonly LineOf[]>((kept, one) => {
      const without = kept.filter((other) => other !== one);
      return this.#coverAt(view, line, without) ? without : kept;
    }, meeting);
  }

  #coverAt(view: View, line: LineOf, others: readonly LineOf[]): boolean {
    return this.#ask({ view, all: [line], none: others }).kind === "none";
  }
}
