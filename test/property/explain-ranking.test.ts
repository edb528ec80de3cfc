import { describe, expect, it } from "vitest";
import { compile, decide, explain } from "../../policies/engine.ts";
import { buildSet } from "../../policies/testing/build.ts";
import { atDepth } from "../support/depth.ts";
import { recordResult } from "../support/record-result.ts";
import { generateMesh } from "./generate-mesh.ts";
import { type Asked, MUTATIONS, type Mutated, type Mutation, mutate, requestOfMesh } from "./mutate-request.ts";
import { Random, runSeed } from "./random.ts";

interface Tally {
  cases: number;
  first: number;
  amongThree: number;
}

describe("explain", () => {
  it("names what was changed of an allowed request first in 95 %, and among the first three in 99 %", () => {
    const seed = runSeed();
    const random = new Random(seed);
    const tallies = new Map<Mutation, Tally>(MUTATIONS.map((kind) => [kind, { cases: 0, first: 0, amongThree: 0 }]));
    const wanted = atDepth({ quick: 2_000, full: 50_000 }) / MUTATIONS.length;
    while ([...tallies.values()].some(({ cases }) => cases < wanted)) runMesh(random, tallies, wanted);
    console.log(`CELLWALL_SEED=${seed}\n${table(tallies)}`);
    const all = total(tallies);
    expect(all.cases).toBe(wanted * MUTATIONS.length);
    expect(all.first / all.cases).toBeGreaterThanOrEqual(0.95);
    expect(all.amongThree / all.cases).toBeGreaterThanOrEqual(0.99);
    recordResult("explain-ranking", { seed, all, mutations: Object.fromEntries(tallies) });
  });
});

const REQUESTS_A_MESH = 20;

/** Each mutation kind gets the same number of cases, so that rare ones weigh as much as easy ones. */
function runMesh(random: Random, tallies: ReadonlyMap<Mutation, Tally>, wanted: number): void {
  const input = generateMesh(random);
  const set = buildSet(input);
  const index = compile(set);
  for (let at = 0; at < REQUESTS_A_MESH; at++) {
    const asked = requestOfMesh(random, input, set);
    if (asked === undefined || decide(index, asked.attributes).verdict !== "allow") continue;
    for (const [kind, tally] of tallies) if (tally.cases < wanted) runMutation(random, kind, asked, tally);
  }
}

function runMutation(random: Random, kind: Mutation, asked: Asked, tally: Tally): void {
  const mutated = mutate(random, kind, asked);
  if (mutated === undefined || decide(compile(mutated.set), mutated.attributes).verdict === "allow") return;
  const place = placeOfCause(mutated);
  tally.cases++;
  if (place === 0) tally.first++;
  if (place !== -1 && place < 3) tally.amongThree++;
}

/** Where the explanation has the line that lacks the true cause and nothing else. */
function placeOfCause({ set, attributes, isCause }: Mutated): number {
  const { nearest } = explain(set, attributes, { suggest: false });
  return nearest.findIndex(({ lacks }) => lacks.length > 0 && lacks.every(isCause));
}

function total(tallies: ReadonlyMap<Mutation, Tally>): Tally {
  const sum = (pick: (tally: Tally) => number): number =>
    [...tallies.values()].reduce((all, tally) => all + pick(tally), 0);
  return {
    cases: sum(({ cases }) => cases),
    first: sum(({ first }) => first),
    amongThree: sum((one) => one.amongThree),
  };
}

function table(tallies: ReadonlyMap<Mutation, Tally>): string {
  return [...tallies, ["all", total(tallies)] as const].map(([kind, tally]) => row(kind, tally)).join("\n");
}

function row(kind: string, { cases, first, amongThree }: Tally): string {
  const percent = (part: number): string => `${((100 * part) / cases).toFixed(2)} %`.padStart(9);
  return `${kind.padEnd(15)} ${String(cases).padStart(6)} cases: first ${percent(first)}, among three ${percent(amongThree)}`;
}
