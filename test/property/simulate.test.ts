import { describe, expect, it } from "vitest";
import { decisionRecord } from "../../ext-authz/decision-record.ts";
import { compile, decide, type Index } from "../../policies/engine.ts";
import type { Attributes, Decision, PolicySet } from "../../policies/model/index.ts";
import { simulate } from "../../policies/simulate/simulation.ts";
import { buildSet, type SetInput } from "../../policies/testing/build.ts";
import { recordResult } from "../support/record-result.ts";
import { generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

const REQUESTS_A_PAIR = 12;

interface Seen {
  readonly changes: Map<string, number>;
}

describe("simulate", () => {
  it("gives the verdict that the whole request gets, wherever it gives one", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    const seen: Seen = { changes: new Map() };
    for (let index = 0; index < runCount(400, 20_000); index++) runPair((seed + index) >>> 0, seen);
    console.log([...seen.changes].map(([change, count]) => `${change} ${count}`).join(", "));
    for (const change of ["newly-denied", "newly-allowed", "unchanged", "undecidable"]) {
      expect(seen.changes.get(change), change).toBeGreaterThan(20);
    }
    const all = [...seen.changes.values()].reduce((sum, count) => sum + count, 0);
    expect(seen.changes.get("undecidable")).toBeLessThan(all / 3);
    recordResult("simulate-against-decisions", {
      seed,
      pairs: runCount(400, 20_000),
      disagreements: 0,
      changes: Object.fromEntries(seen.changes),
    });
  });
});

/** Two sets that differ in their policies alone; what the first decides is recorded and simulated under the second. */
function runPair(seed: number, seen: Seen): void {
  const random = new Random(seed);
  const input = generateSet(random);
  const other: SetInput = { ...input, policies: generateSet(random).policies };
  const [old, next] = [buildSet(input), buildSet(other)];
  const indexes = { old: compile(old), next: compile(next) };
  for (let at = 0; at < REQUESTS_A_PAIR; at++) {
    const asked = random.chance(0.5) ? ([input, old] as const) : ([other, next] as const);
    const request = readable(generateRequest(random, ...asked));
    if (request === undefined) continue;
    runRequest(
      {
        seed,
        old,
        next,
        indexes,
        request,
        compare: random.pick(["verdict", "evaluated"]),
        withOld: random.chance(0.5),
      },
      seen,
    );
  }
}

interface Case {
  readonly seed: number;
  readonly old: PolicySet;
  readonly next: PolicySet;
  readonly indexes: { readonly old: Index; readonly next: Index };
  readonly request: Attributes;
  readonly compare: "verdict" | "evaluated";
  readonly withOld: boolean;
}

function runRequest({ seed, old, next, indexes, request, compare, withOld }: Case, seen: Seen): void {
  const before = decide(indexes.old, request);
  const now = decide(indexes.next, request);
  const record = decisionRecord({
    workload: "shop/orders",
    atMs: request.now.getTime(),
    decision: before,
    attributes: request,
  });
  const report = simulate(next, [JSON.parse(JSON.stringify(record))], {
    now: request.now,
    compare,
    ...(withOld ? { old } : {}),
  });
  const [group] = report.groups;
  const why = `set seed ${seed}: ${JSON.stringify([record, now, group])}`;
  expect(report.decisions, why).toBe(1);
  const change = group?.change ?? "none";
  seen.changes.set(change, (seen.changes.get(change) ?? 0) + 1);
  if (change !== "undecidable") expect(change, why).toBe(changeOf(before, now, compare));
}

function changeOf(before: Decision, now: Decision, compare: "verdict" | "evaluated"): string {
  if (before[compare] === now[compare]) return "unchanged";
  return now[compare] === "deny" ? "newly-denied" : "newly-allowed";
}

/** A request as a working sidecar sends it: nothing withheld, every provider asked. */
function readable({ withheldHeaders: _, unrecorded: __, ...request }: Attributes): Attributes | undefined {
  const isOdd = (request.http === undefined) === (request.tcp === undefined) || Number.isNaN(request.now.getTime());
  if (isOdd || (request.peerAddress ?? "").includes("nonsense")) return undefined;
  const claims = new Map(request.claims ?? []);
  for (const provider of ["corp", "other"]) if (!claims.has(provider)) claims.set(provider, { kind: "absent" });
  return { ...request, claims };
}
