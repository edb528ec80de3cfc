import { describe, expect, it } from "vitest";
import { type CompileOptions, compile, decide, noPolicyIndex, referenceDecide } from "../../policies/engine.ts";
import { type Attributes, type Decision, REASON_CODES } from "../../policies/model/index.ts";
import { buildSet, type SetInput } from "../../policies/testing/build.ts";
import { recordResult } from "../support/record-result.ts";
import { generateOptions, generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";
import { reduceSet } from "./reduce.ts";

const REQUESTS_A_SET = 8;

describe("decide", () => {
  it("gives the reference evaluator's decision for every random set and request, and meets every reason", () => {
    const seed = runSeed();
    const pairs = runCount(10_000, 1_000_000);
    const seen = new Map<string, number>();
    for (let done = 0; done < pairs; done += REQUESTS_A_SET) runSet((seed + done) >>> 0, seen);
    const distribution = [...seen].sort(([, left], [, right]) => right - left);
    console.log(
      `CELLWALL_SEED=${seed}: ${pairs} pairs\n${distribution.map(([key, count]) => `  ${count} ${key}`).join("\n")}`,
    );
    expect(REASON_CODES.filter((reason) => !seen.has(`reason ${reason}`))).toEqual([]);
    expect(EVENTS.filter((event) => !seen.has(event))).toEqual([]);
    recordResult("decide-against-reference", { seed, pairs, disagreements: 0, met: Object.fromEntries(distribution) });
  });
});

/** What must have been met beside the reasons, or the run has proved nothing about it. */
const EVENTS = [
  "relaxed",
  "held in monitor",
  "unauthenticated",
  "would deny",
  "would allow",
  "allow/allow",
  "deny/deny",
];

function runSet(seed: number, seen: Map<string, number>): void {
  const random = new Random(seed);
  const input = generateSet(random);
  const options = generateOptions(random, input);
  const set = buildSet(input);
  const index = random.chance(0.01) ? noPolicyIndex(options) : compile(set, options);
  for (let at = 0; at < REQUESTS_A_SET; at++) {
    const attributes = generateRequest(random, input, set);
    const decision = decide(index, attributes);
    count(seen, decision);
    if (index.policies === undefined) expect(decision.reason).toBe("no-policy");
    else if (text(decision) !== text(referenceDecide(set, attributes, options))) fail(seed, input, attributes, options);
  }
}

/** A decision as text, without its id and time. */
function text(decision: Decision): string {
  return JSON.stringify({ ...decision, id: "", tookMicros: 0 });
}

function count(seen: Map<string, number>, decision: Decision): void {
  const add = (key: string): void => void seen.set(key, (seen.get(key) ?? 0) + 1);
  const { verdict, evaluated, mode, reason, outcome, candidate } = decision;
  add(`reason ${reason}`);
  if (verdict !== evaluated) add("relaxed");
  if (mode === "monitor" && verdict === "deny" && ["denied-by-rule", "isolated", "ambiguous-path"].includes(reason)) {
    add("held in monitor");
  }
  if (outcome === "unauthenticated") add("unauthenticated");
  if (candidate === undefined) return;
  if (candidate.verdict === evaluated) add(`${evaluated}/${evaluated}`);
  else add(candidate.verdict === "deny" ? "would deny" : "would allow");
}

function fail(seed: number, input: SetInput, attributes: Attributes, options: CompileOptions): never {
  const differ = (candidate: SetInput): readonly [string, string] => {
    const set = buildSet(candidate);
    return [text(decide(compile(set, options), attributes)), text(referenceDecide(set, attributes, options))];
  };
  const small = reduceSet(input, (candidate) => {
    const [fast, reference] = differ(candidate);
    return fast !== reference;
  });
  const [fast, reference] = differ(small);
  const readable = JSON.stringify(
    { small, attributes },
    (_, value) => (value instanceof Map || value instanceof Set ? [...value] : value),
    1,
  );
  throw new Error(`set seed ${seed}: the engine and the reference disagree\n${fast}\n${reference}\n${readable}`);
}
