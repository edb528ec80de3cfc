import type { PathOptions, PathPattern, Rule } from "../model/index.ts";
import { encodePath } from "../path/encode-path.ts";
import { type Cell, type Cells, type Condition, Dimension, TRUE, type Truth4, UNKNOWN } from "./dimension.ts";
import { accepts, next, type PatternStep, startOf, steps } from "./pattern-steps.ts";
import { type RawSegment, SegmentAtoms, type SegmentTest } from "./segment-atoms.ts";

/** A pattern as a rule of that effect reads it, or that the path is refused; under one of the readings. */
export type PathSpec =
  | {
      readonly kind: "pattern";
      readonly effect: Rule["effect"];
      readonly pattern: PathPattern;
      readonly reading: number;
    }
  | { readonly kind: "refused"; readonly truth: "true" | "unknown"; readonly reading: number }
  | { readonly kind: "readable"; readonly reading: number };

type Specs = readonly (readonly [Condition, PathSpec])[];

/** How many sets of patterns are walked at most. */
const MAX_STATES = 50_000;

/** A place in a pattern: the pattern's number and how much of it has been read. */
interface Item {
  readonly spec: number;
  readonly at: PatternStep;
}

interface State {
  readonly items: readonly Item[];
  /** By reading. */
  readonly refused: readonly boolean[];
  readonly segments: readonly RawSegment[];
}

/**
 * Paths, as patterns tell them apart: a walk, segment by segment, over the sets of patterns that what has been read so
 * far leaves possible. With two readings (two sets that read a workload's paths differently) it goes over raw segments,
 * each with what either reading makes of it.
 */
export class PathDimension extends Dimension<PathSpec> {
  readonly #atoms: SegmentAtoms;
  readonly #readings: readonly PathOptions[];

  constructor(readings: readonly PathOptions[]) {
    super("path");
    this.#readings = readings;
    this.#atoms = new SegmentAtoms(readings);
  }

  protected divide(specs: Specs, touch: ReadonlySet<Condition> | undefined): Cells {
    const walk = new Walk(specs, touch, this.#atoms, this.#readings.length);
    return walk.run();
  }
}

class Walk {
  readonly #specs: Specs;
  readonly #touch: ReadonlySet<Condition> | undefined;
  readonly #atoms: SegmentAtoms;
  readonly #readings: number;
  readonly #cells = new Map<string, Cell>();
  readonly #queue: State[] = [];
  readonly #seen = new Set<string>();
  /** Conditions that are no patterns. */
  readonly #others: Specs;
  #exact = true;

  constructor(specs: Specs, touch: ReadonlySet<Condition> | undefined, atoms: SegmentAtoms, readings: number) {
    this.#specs = specs;
    this.#touch = touch;
    this.#atoms = atoms;
    this.#readings = readings;
    this.#others = specs.filter(([, spec]) => spec.kind !== "pattern");
  }

  run(): Cells {
    const items = this.#specs.flatMap(([, spec], index): Item[] =>
      spec.kind === "pattern" ? [{ spec: index, at: startOf(spec.pattern, spec.effect) }] : [],
    );
    const refused = Array.from({ length: this.#readings }, () => false);
    this.#queue.push({ items, refused, segments: [] });
    for (let at = 0; at < this.#queue.length; at++) {
      const state = this.#queue[at];
      if (state !== undefined) this.#expand(state);
      if (this.#queue.length > MAX_STATES) {
        this.#exact = false;
        break;
      }
    }
    if (this.#others.length > 0) this.#refuseAll();
    return { cells: [...this.#cells.values()], exact: this.#exact };
  }

  /** What no reading takes for a path. */
  #refuseAll(): void {
    this.#end(
      [],
      Array.from({ length: this.#readings }, () => true),
      "//",
    );
  }

  #expand(state: State): void {
    const tests = new Map<string, SegmentTest>();
    const wanted = state.items.map((item) => {
      const spec = this.#specs[item.spec]?.[1];
      if (spec?.kind !== "pattern") return [];
      return steps(spec.pattern, spec.effect, item.at).map((step) => {
        const test = step.segment && this.#atoms.test(step.segment, spec.reading);
        if (test !== undefined) tests.set(test.key, test);
        return { test, to: step.to, spec: item.spec };
      });
    });
    const { atoms, exact } = this.#atoms.of([...tests.values()]);
    if (!exact) this.#exact = false;
    const any: Item[] = [];
    const byTest = new Map<string, Item[]>();
    for (const { test, to, spec } of wanted.flat()) {
      const list = test === undefined ? any : (byTest.get(test.key) ?? []);
      list.push({ spec, at: to });
      if (test !== undefined) byTest.set(test.key, list);
    }
    for (const atom of atoms) {
      const items = [...any, ...atom.passing.flatMap((key) => byTest.get(key) ?? [])];
      const refused = state.refused.map((known, reading) => known || atom.refused[reading] === true);
      this.#arrive({ items: this.#alive(items, refused), refused, segments: [...state.segments, atom.segment] });
    }
    this.#endWithSlash(state);
  }

  #alive(items: readonly Item[], refused: readonly boolean[]): readonly Item[] {
    return items.filter(({ spec }) => refused[this.#specs[spec]?.[1].reading ?? 0] !== true);
  }

  #arrive(state: State): void {
    // Denied before any rule: there only where a condition asks for such paths.
    if (this.#others.length === 0 && state.refused.every(Boolean)) return;
    const items = [...new Map(state.items.map((item) => [`${item.spec}:${item.at}`, item])).values()];
    if (!this.#matters(items)) return;
    const key = `${items
      .map(({ spec, at }) => `${spec}:${at}`)
      .sort()
      .join(" ")} ${state.refused.map(Number).join("")}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const ended = items.filter((item) => this.#accepts(item)).map(({ spec }) => spec);
    this.#end(ended, state.refused, rawPath(state.segments));
    if (items.length > 0) this.#queue.push({ ...state, items });
  }

  #matters(items: readonly Item[]): boolean {
    const touch = this.#touch;
    if (touch === undefined || this.#others.some(([condition]) => touch.has(condition))) return true;
    return items.some(({ spec }) => {
      const condition = this.#specs[spec]?.[0];
      return condition !== undefined && touch.has(condition);
    });
  }

  /** The path that ends in a slash: an allow reads an empty last segment, a deny does not read it. */
  #endWithSlash(state: State): void {
    const ended = state.items.filter((item) => {
      const spec = this.#specs[item.spec]?.[1];
      if (spec?.kind !== "pattern") return false;
      if (spec.effect === "deny") return this.#accepts(item);
      return next(spec.pattern, spec.effect, item.at, "").some((at) => accepts(spec.pattern, spec.effect, at));
    });
    const raw = state.segments.length === 0 ? "/" : `${rawPath(state.segments)}/`;
    this.#end(
      ended.map(({ spec }) => spec),
      state.refused,
      raw,
    );
  }

  #accepts({ spec, at }: Item): boolean {
    const found = this.#specs[spec]?.[1];
    return found?.kind === "pattern" && accepts(found.pattern, found.effect, at);
  }

  #end(ended: readonly number[], refused: readonly boolean[], raw: string): void {
    const truths = new Map<Condition, Truth4>();
    for (const index of [...new Set(ended)].sort((left, right) => left - right)) {
      const condition = this.#specs[index]?.[0];
      if (condition !== undefined) truths.set(condition, TRUE);
    }
    for (const [condition, spec] of this.#others) {
      const isRefused = refused[spec.reading] === true;
      if (spec.kind === "refused" && isRefused) truths.set(condition, spec.truth === "true" ? TRUE : UNKNOWN);
      if (spec.kind === "readable" && !isRefused) truths.set(condition, TRUE);
    }
    const key = [...truths].map(([{ id }, truth]) => `${id}=${truth}`).join(",");
    if (!this.#cells.has(key)) this.#cells.set(key, { part: { kind: "path", raw }, truths });
  }
}

function rawPath(segments: readonly RawSegment[]): string {
  return `/${segments.map(({ text, parameter }) => `${encodePath([text]).slice(1)}${parameter ? ";v=1" : ""}`).join("/")}`;
}
