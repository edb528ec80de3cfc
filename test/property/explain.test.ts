import { describe, expect, it } from "vitest";
import { explain, formatExplanation } from "../../policies/engine.ts";
import { buildSet } from "../../policies/testing/build.ts";
import { generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

describe("explain", () => {
  it("finds something lacking in a line exactly where the line does not match or isolation keeps it out", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    const kinds = new Set<string>();
    for (let index = 0; index < runCount(2_000, 40_000); index++) runOne((seed + index) >>> 0, kinds);
    expect([...kinds].sort()).toEqual(KINDS);
  });
});

const KINDS = [
  "address",
  "caller",
  "except",
  "header",
  "host",
  "isolation",
  "label",
  "method",
  "path",
  "port",
  "query",
  "request",
  "segment",
  "time",
  "token",
  "trailing-slash",
];

function runOne(seed: number, kinds: Set<string>): void {
  const random = new Random(seed);
  const input = generateSet(random);
  const set = buildSet(input);
  const attributes = generateRequest(random, input, set);
  if ((attributes.http === undefined) === (attributes.tcp === undefined) || Number.isNaN(attributes.now.getTime()))
    return;
  const explanation = explain(set, attributes, { nearest: 100 });
  const { deciding, nearest, decision } = explanation;
  expect(deciding?.id).toBe(decision.line);
  if (decision.reason === "allowed-by-rule") expect(deciding?.lacks).toEqual([]);
  if (decision.reason === "denied-by-rule") expect(deciding?.lacks).toEqual([]);
  for (const { lacks, truth, id } of nearest) {
    const others = lacks.filter(({ kind }) => kind !== "isolation");
    for (const { kind } of lacks) kinds.add(kind);
    const why = `set seed ${seed}: ${id} is ${truth} and lacks ${JSON.stringify(others)}`;
    expect(others.length === 0, why).toBe(truth === true);
    if (truth === "unknown")
      expect(
        others.every((lack) => lack.unknown),
        why,
      ).toBe(true);
    if (truth === false)
      expect(
        others.some((lack) => !lack.unknown),
        why,
      ).toBe(true);
    if (truth === "no-token")
      expect(
        others.map(({ kind }) => kind),
        why,
      ).toEqual(["token"]);
  }
  expect(formatExplanation(explanation)).toContain(decision.reason);
}
