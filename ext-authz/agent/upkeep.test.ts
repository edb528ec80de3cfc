import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import { capturingLogger } from "../testing/capture.ts";
import { readClockFloor } from "./clock-file.ts";
import { StateDir } from "./state-dir.ts";
import { Upkeep } from "./upkeep.ts";

type Freshness = ReturnType<PolicyState["freshness"]>;
const START = Date.parse("2030-01-01T00:00:00Z");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets an agent's time pass, one look for each freshness of its policy; its lists end at the look of that number. */
async function looks(freshness: readonly Freshness[], listsEndAt?: number) {
  let nowMs = START;
  let look = 0;
  const called: string[] = [];
  const log = capturingLogger();
  const files = new StateDir(folder);
  const stop = new AbortController();
  const upkeep = new Upkeep({
    clock: new MonotonicClock({ wall: () => new Date(nowMs), monotonicMs: () => nowMs }),
    files,
    log,
    keeper: { reconsider: () => void called.push(`${look} reconsider`) },
    network: { refresh: () => undefined },
    served: {
      refreshEdges: () => void called.push(`${look} edges`),
      refreshSecrets: () => void called.push(`${look} secrets`),
    },
    state: { freshness: () => freshness[look] ?? "none" },
    trust: { endLists: () => look === listsEndAt },
    timers: {
      random: () => 0,
      sleep: async (ms) => {
        nowMs += ms;
        look += 1;
        if (look === freshness.length) stop.abort();
      },
    },
  });
  await upkeep.keep(stop.signal);
  return { called, warnings: log.lines.map(({ message }) => message), floor: readClockFloor(files) };
}

it("says once that the policy has expired and once that it is stale, and offers secrets anew each time", async () => {
  const { called, warnings } = await looks(["current", "current", "expired", "expired", "stale", "stale"]);
  expect(warnings).toEqual(["the policy is expired", "the policy is stale"]);
  expect(called.filter((one) => one.endsWith("secrets"))).toEqual(["0 secrets", "2 secrets", "4 secrets"]);
});

it("looks at the public listeners' certificates each time", async () => {
  const { called } = await looks(["current", "current", "current"]);
  expect(called.filter((one) => one.endsWith("edges"))).toEqual(["0 edges", "1 edges", "2 edges"]);
});

it("goes on without revocation lists that have ended, with new secrets, and says so", async () => {
  const { called, warnings } = await looks(["current", "current", "current"], 1);
  expect(warnings).toEqual([expect.stringContaining("the revocation lists end")]);
  expect(called.filter((one) => one.startsWith("1"))).toEqual(["1 reconsider", "1 secrets", "1 edges"]);
});

it("keeps the clock every half minute, so that a restart does not fall behind it", async () => {
  expect((await looks(Array<Freshness>(6).fill("current"))).floor).toBeUndefined();
  expect((await looks(Array<Freshness>(7).fill("current"))).floor).toEqual(new Date(START + 30_000));
});
