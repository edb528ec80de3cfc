import { describe, expect, it } from "vitest";
import { compile, decide, readShards, referenceDecide, serverFirstCallers, shardOf } from "../../policies/engine.ts";
import type { Attributes, Decision } from "../../policies/model/index.ts";
import { buildSet } from "../../policies/testing/build.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { generateOptions, generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

const REQUESTS_A_SET = 10;

describe("shards", () => {
  it("decide as the full set does about their destinations, one alone and several together", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    const sets = runCount(250, 8_000);
    const seen = new Set<string>();
    for (let index = 0; index < sets; index++) runSet((seed + index) >>> 0, seen);
    for (const reason of [
      "allowed-by-rule",
      "denied-by-rule",
      "isolated",
      "unregistered-identity",
      "no-rule-matched",
    ]) {
      expect(seen).toContain(reason);
    }
  });

  it("name the same callers of a server-first listener, but for callers that no rule names", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    for (let index = 0; index < runCount(40, 1_000); index++) {
      const random = new Random((seed + index) >>> 0);
      const set = buildSet(generateSet(random));
      for (const destination of set.destinations) {
        const shard = readShards([shardOf(set, destination)]);
        const [full, part] = [serverFirstCallers(set, destination, 5432), serverFirstCallers(shard, destination, 5432)];
        const known = new Set(shard.workloads.map(({ identity }) => identity.toString()));
        expect(part).toEqual(full.filter((caller) => known.has(caller) || !caller.includes("shop.example")));
      }
    }
  });
});

function runSet(seed: number, seen: Set<string>): void {
  const random = new Random(seed);
  const input = generateSet(random);
  const set = buildSet(input);
  const options = generateOptions(random, input);
  const destinations = set.destinations.filter(() => random.chance(0.5));
  if (destinations.length === 0) return;
  const wire = destinations.map((destination) => JSON.stringify(shardOf(set, destination)));
  const shards = readShards(wire.map((text): unknown => JSON.parse(text)));
  const [full, part] = [compile(set, options), compile(shards, options)];
  for (let at = 0; at < REQUESTS_A_SET; at++) {
    const request = generateRequest(random, input, set);
    const attributes: Attributes = destinations.includes(request.destination.toString())
      ? request
      : { ...request, destination: parseSpiffeId(random.pick(destinations)) };
    const decision = decide(full, attributes);
    seen.add(decision.reason);
    expect(text(decide(part, attributes)), `set seed ${seed}`).toBe(text(decision));
    expect(text(referenceDecide(shards, attributes, options)), `set seed ${seed}`).toBe(text(decision));
  }
}

function text(decision: Decision): string {
  return JSON.stringify({ ...decision, id: "", tookMicros: 0 });
}
