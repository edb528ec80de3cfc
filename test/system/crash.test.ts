import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestAuthority, testClock } from "../../ca/testing/authority.ts";
import { atDepth } from "../support/depth.ts";
import { repositoryPath } from "../support/processes.ts";
import { recordResult } from "../support/record-result.ts";

const POINTS = ["signed", "recorded", "migrated", "manifest", "key", "exchanged", "replaced"];
/** A key is passed four times while the authority is founded, and again in each replacement. */
const PASSES = new Map([
  ["key", atDepth({ quick: [2], full: [0, 1, 2, 3, 4, 5, 6, 7, 8] })],
  ["migrated", atDepth({ quick: [1], full: [0, 1] })],
]);
const AT_POINTS = POINTS.flatMap((point) => (PASSES.get(point) ?? [1]).map((passes) => ({ point, passes })));
const RANDOM_KILLS = atDepth({ quick: 2, full: 200 });

interface Killed {
  readonly acknowledged: readonly string[];
  readonly revision: number;
  readonly signal: NodeJS.Signals | null;
}

/** Runs an authority until it is killed: at its point, or so many milliseconds after it has begun to work. */
function runUntilKilled(folder: string, point: string, passes: number, afterMs?: number): Promise<Killed> {
  const child = spawn(
    process.execPath,
    [repositoryPath("test/support/crash-child.mjs"), folder, point, String(passes)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  let timer: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (afterMs !== undefined && output.includes("working")) timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  });
  return new Promise((resolve) => {
    child.once("close", (_code, signal) => {
      clearTimeout(timer);
      clearTimeout(deadline);
      const lines = output.slice(0, output.lastIndexOf("\n") + 1).split("\n");
      const said = (word: string) =>
        lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
      resolve({ acknowledged: said("ack"), revision: Number(said("revision").at(-1) ?? "0"), signal });
    });
  });
}

describe("an authority that is killed", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "cellwall-crash-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Starts again by itself; everything that was answered is there, once, and the chain holds. */
  async function demandWhole(folder: string, { acknowledged, revision }: Killed): Promise<void> {
    const again = await openTestAuthority({ folder, clock: testClock(new Date()) });
    try {
      expect(await again.ca.verifyLedger()).toMatchObject({ ok: true });
      const rows = await again.db.selectFrom("ca_ledger").select("serial").where("serial", "is not", null).execute();
      const serials = rows.map(({ serial }) => serial);
      expect(new Set(serials).size).toBe(serials.length);
      expect(acknowledged.filter((serial) => !serials.includes(serial))).toEqual([]);
      expect(again.ca.bundle()?.manifest.revision ?? 0).toBeGreaterThanOrEqual(revision);
      await again.ca.rotate({ what: "root", compromised: false, force: true, deadlineSeconds: 1, reason: "" });
      const keys = await again.ca.status();
      expect(keys.authorities.filter(({ state }) => state === "active")).toHaveLength(4);
    } finally {
      await again.stop();
    }
  }

  it.concurrent.each(AT_POINTS)(
    "at $point, passed $passes times before, has lost nothing that it answered",
    async ({ passes, point }) => {
      const folder = mkdtempSync(join(root, "at-"));
      const killed = await runUntilKilled(folder, point, passes);
      expect(killed.signal).toBe("SIGKILL");
      await demandWhole(folder, killed);
    },
  );

  it("at random instants, again and again on the same state, has lost nothing that it answered", async () => {
    const folder = mkdtempSync(join(root, "random-"));
    const acknowledged: string[] = [];
    for (let kill = 0; kill < RANDOM_KILLS; kill += 1) {
      const killed = await runUntilKilled(folder, "-", 0, Math.random() * 150);
      acknowledged.push(...killed.acknowledged);
      await demandWhole(folder, { ...killed, acknowledged });
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(RANDOM_KILLS);
    recordResult("crash", {
      points: AT_POINTS.length,
      randomKills: RANDOM_KILLS,
      answered: acknowledged.length,
      lost: 0,
    });
  });
});
