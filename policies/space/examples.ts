import type { Part } from "./dimension.ts";

/** An example, one part a dimension; dimensions left out do not matter. */
export interface Example {
  readonly part: Part;
  readonly rest: Example | undefined;
}

/** An example of each answer; `null` stands for «any request». */
export type Examples = readonly (Example | null | undefined)[];

export interface Found {
  readonly all: Examples;
  /** By tracked line: examples among the requests of which it is true or unknown. */
  readonly lines: ReadonlyMap<number, Examples>;
}

/** No request has an answer. */
export const NOTHING: Found = { all: [], lines: new Map() };

/** Any request has this answer. */
export function answersWith(answer: number): Examples {
  const all: (Example | null | undefined)[] = [];
  all[answer] = null;
  return all;
}

/** The examples of cells together, the first of each kind. */
export class Merged {
  readonly #answers: number;
  readonly #all: (Example | null | undefined)[] = [];
  readonly #lines = new Map<number, (Example | null | undefined)[]>();

  constructor(answers: number) {
    this.#answers = answers;
  }

  add(part: Part, found: Found): void {
    // What is the same example of many lines stays one object, so that it is made into a request once.
    const made = new Map<Example | null, Example>();
    this.#merge(this.#all, part, found.all, made);
    for (const [line, examples] of found.lines) {
      const own = this.#lines.get(line) ?? [];
      this.#merge(own, part, examples, made);
      this.#lines.set(line, own);
    }
  }

  found(): Found {
    return this.#all.length === 0 ? NOTHING : { all: this.#all, lines: this.#lines };
  }

  #merge(into: (Example | null | undefined)[], part: Part, from: Examples, made: Map<Example | null, Example>): void {
    for (let answer = 0; answer < this.#answers; answer++) {
      const example = from[answer];
      if (example === undefined || into[answer] !== undefined) continue;
      const whole = made.get(example) ?? { part, rest: example ?? undefined };
      made.set(example, whole);
      into[answer] = whole;
    }
  }
}
