import { describe, expect, it } from "vitest";
import {
  attributesOf,
  compile,
  type DiffReport,
  decide,
  diff,
  referenceDecide,
  Universe,
} from "../../policies/index.ts";
import type { Attributes, PolicySet } from "../../policies/model/index.ts";
import { callerClasses, comparison, DestinationSpace, Side, type SpaceFinding } from "../../policies/space/index.ts";
import { buildSet, NOW, type SetInput } from "../../policies/testing/build.ts";
import { recordResult } from "../support/record-result.ts";
import { generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { mutateSet, smallSet } from "./mutate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

const REQUESTS_A_PAIR = runCount(8, 24);
/** What is worked out of conditions is shared by so many pairs. */
const PAIRS_A_UNIVERSE = 250;

/** Decisions need no ids to be compared. */
const NO_IDS = { random: () => "" };

type Seen = Map<string, number>;

describe("diff", () => {
  it("finds every difference that deciding request by request finds, and every example is decided as it claims", () => {
    const seed = runSeed();
    const pairs = runCount(10_000, 200_000);
    const seen: Seen = new Map();
    let universe = new Universe({ now: NOW, past: true, unknowns: true });
    for (let done = 0; done < pairs; done++) {
      if (done % PAIRS_A_UNIVERSE === 0) universe = new Universe({ now: NOW, past: true, unknowns: true });
      comparePair((seed + done) >>> 0, universe, seen);
    }
    console.log(
      `CELLWALL_SEED=${seed}: ${pairs} pairs\n${[...seen].map(([key, count]) => `  ${count} ${key}`).join("\n")}`,
    );
    expect(EVENTS.filter((event) => !seen.has(event))).toEqual([]);
    expect(seen.get("inexact destination") ?? 0).toBe(0);
    recordResult("diff-against-decisions", { seed, pairs, disagreements: 0, met: Object.fromEntries(seen) });
  });

  it("reports directions of callers and lines whose witnesses replay as written, and nothing where sets mean the same", () => {
    const seed = runSeed();
    const pairs = runCount(300, 20_000);
    console.log(`CELLWALL_SEED=${seed}: ${pairs} pairs`);
    let witnesses = 0;
    for (let done = 0; done < pairs; done++) witnesses += report((seed + done) >>> 0);
    expect(witnesses).toBeGreaterThan(pairs);
    recordResult("diff-witnesses-replay", { seed, pairs, witnesses });
  });
});

/** What must have been met, or the run has proved nothing about it. */
const EVENTS = ["broader request", "narrower request", "broader example", "narrower example", "equivalent destination"];

interface Pair {
  readonly random: Random;
  readonly inputs: readonly [SetInput, SetInput];
  readonly sets: readonly [PolicySet, PolicySet];
}

function pairOf(seed: number): Pair {
  const random = new Random(seed);
  const whole = generateSet(random);
  const old = random.chance(0.6) ? smallSet(random, whole) : whole;
  const next = mutateSet(random, old);
  return { random, inputs: [old, next], sets: [built(old), built(next)] };
}

/** A set whose mesh has the provider that its rules ask for, as resolving demands. */
function built(input: SetInput): PolicySet {
  const set = buildSet(input);
  const provider = { issuer: "https://id.example", audiences: [], jwks: { inline: "{}" } };
  return { ...set, mesh: { ...set.mesh, jwtProviders: new Map([["corp", provider]]) } };
}

function comparePair(seed: number, universe: Universe, seen: Seen): void {
  const { random, inputs, sets } = pairOf(seed);
  const count = (event: string): void => void seen.set(event, (seen.get(event) ?? 0) + 1);
  const sides = [new Side(sets[0]), new Side(sets[1])];
  const indexes = [compile(sets[0], NO_IDS), compile(sets[1], NO_IDS)] as const;
  const callers = callerClasses(sides);
  const requests = Array.from({ length: REQUESTS_A_PAIR }, () => {
    const which = random.int(2);
    return recorded(generateRequest(random, inputs[which] ?? inputs[0], sets[which] ?? sets[0]));
  });
  const verdicts = (request: Attributes): string => indexes.map((index) => decide(index, request).verdict).join();
  const differing = requests.filter((request) => new Set(verdicts(request).split(",")).size > 1);
  const [first] = requests;
  if (first !== undefined) checkReference(seed, sets, first, verdicts(first));
  const some = random.pick([...new Set(sets.flatMap((set) => set.destinations))]);
  for (const destination of new Set([some, ...differing.map((request) => request.destination.toString())])) {
    const space = new DestinationSpace(universe, sides, destination, callers);
    const findings = space.ask(comparison());
    if (!space.exact) count("inexact destination");
    if (findings.length === 0) count("equivalent destination");
    for (const [answer, example] of findings.flatMap(examplesOf)) {
      count(`${NAMES[answer]} example`);
      if (verdicts(example) !== CLAIMS[answer]) fail(seed, `an example is decided ${verdicts(example)}`, example);
    }
    for (const request of differing.filter((each) => each.destination.toString() === destination)) {
      const answer = CLAIMS.indexOf(verdicts(request));
      count(`${NAMES[answer]} request`);
      if (!findings.some((finding) => finding.all[answer] !== undefined && isOf(finding, request)))
        fail(seed, `a request is decided ${verdicts(request)}, and no finding says so`, request);
    }
  }
}

/** By answer of the comparison. */
const CLAIMS = ["deny,allow", "allow,deny"];
const NAMES = ["broader", "narrower"];

function examplesOf({ all, lines }: SpaceFinding): readonly (readonly [number, Attributes])[] {
  return [all, ...lines.values()].flatMap((examples) =>
    examples.flatMap((example, answer) => (example === undefined ? [] : [[answer, example] as const])),
  );
}

/** Whether a finding is about the request's caller; of foreign callers only one of a kind is named. */
function isOf({ callers }: SpaceFinding, { caller, listener }: Attributes): boolean {
  if (listener.kind === "edge") return callers.some(({ id }) => id === undefined);
  const own = caller?.trustDomain === "shop.example";
  return callers.some(({ id, stands }) => id?.toString() === caller?.toString() || (!own && stands));
}

/** A request as sidecars send it: `unrecorded` is of requests read back from a record only. */
function recorded({ unrecorded: _, ...request }: Attributes): Attributes {
  return request;
}

/** The engine's answers are the reference evaluator's, so that neither comparison stands on the engine alone. */
function checkReference(
  seed: number,
  sets: readonly [PolicySet, PolicySet],
  request: Attributes,
  verdicts: string,
): void {
  if (Number.isNaN(request.now.getTime())) return;
  const reference = sets.map((set) => referenceDecide(set, request).verdict).join();
  if (reference !== verdicts) fail(seed, `the reference says ${reference}, the engine ${verdicts}`, request);
}

function report(seed: number): number {
  const { sets } = pairOf(seed);
  const found = diff(sets[0], sets[1], { now: NOW });
  const indexes = [compile(sets[0]), compile(sets[1])] as const;
  const witnesses = witnessesOf(found);
  for (const { claim, witness } of witnesses) {
    const home = sets.find(({ workloads }) =>
      workloads.some(({ namespace, name }) => `${namespace}/${name}` === witness.request.to),
    );
    const request = home && attributesOf(witness.request, home, { now: NOW });
    const verdicts = request && indexes.map((index) => decide(index, request).verdict).join();
    // A request to upgrade to something that is no WebSocket cannot be written as a witness, which the notes say.
    if (verdicts !== claim && !found.inexact) fail(seed, `a witness is decided ${verdicts}, not ${claim}`, witness);
    expect([witness.old.verdict, witness.new.verdict].join()).toBe(claim);
  }
  expect(diff(sets[0], buildSetAgain(seed), { now: NOW }).direction).toBe("equivalent");
  return witnesses.length;
}

function buildSetAgain(seed: number): PolicySet {
  return pairOf(seed).sets[0];
}

function witnessesOf({ destinations }: DiffReport): readonly {
  readonly claim: string;
  readonly witness: NonNullable<DiffReport["destinations"][number]["lines"][number]["broader"]>;
}[] {
  return destinations
    .flatMap(({ callers, lines }) => [...callers, ...callers.flatMap((caller) => caller.lines), ...lines])
    .flatMap(({ broader, narrower }) => [
      ...(broader ? [{ claim: "deny,allow", witness: broader }] : []),
      ...(narrower ? [{ claim: "allow,deny", witness: narrower }] : []),
    ]);
}

function fail(seed: number, what: string, about: unknown): never {
  const shown = JSON.stringify(about, (_, value) =>
    value instanceof Map || value instanceof Set ? [...value] : value,
  );
  throw new Error(`CELLWALL_SEED=${seed}: ${what}\n${shown}`);
}
