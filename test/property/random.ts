import { randomBytes } from "node:crypto";

/** Seeded random choices (mulberry32): the same seed makes the same choices on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** At least 0, less than `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new TypeError("nothing to pick from");
    return values[this.int(values.length)] as T;
  }

  /** `least` to `most` values. */
  list<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.int(most - least + 1) }, make);
  }

  /** The value, or nothing. */
  maybe<T>(probability: number, make: () => T): T | undefined {
    return this.chance(probability) ? make() : undefined;
  }
}

/** The seed of this run: `CELLWALL_SEED`, or a fresh one. */
export function runSeed(): number {
  const given = process.env.CELLWALL_SEED;
  return given === undefined ? randomBytes(4).readUInt32LE() : Number(given);
}

/** How many cases to run: few at quick depth, many where `CELLWALL_DEPTH` is `full`. */
export function runCount(quick: number, full: number): number {
  return process.env.CELLWALL_DEPTH === "full" ? full : quick;
}
