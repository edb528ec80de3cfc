import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DecisionLog, type DecisionLogOptions } from "./decision-log.ts";
import type { LogRecord, Observed } from "./decision-record.ts";
import { until } from "./testing/capture.ts";
import { observed } from "./testing/observed.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function logTo(options: DecisionLogOptions) {
  const seen = { counted: [] as Observed[], dropped: 0, failures: [] as string[] };
  const log = new DecisionLog(options, {
    counted: (each) => seen.counted.push(each),
    dropped: (records) => {
      seen.dropped += records;
    },
    failed: (message) => seen.failures.push(message),
  });
  return { log, seen };
}

const lines = (file: string): unknown[] =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("the decision log", () => {
  it("does nothing but keep a reference while the request is answered", async () => {
    const records: LogRecord[] = [];
    const { log, seen } = logTo({ listener: (record) => records.push(record) });
    log.push(observed());
    expect([records.length, seen.counted.length]).toEqual([0, 0]);
    await until("the record", () => records.length === 1);
    expect(records[0]).toMatchObject({ kind: "decision", workload: "shop/orders", reason: "allowed-by-rule" });
    expect(seen.counted).toHaveLength(1);
  });

  it("writes one JSON line a record, in order, all of them before it closes", async () => {
    const file = join(folder, "log", "decisions.jsonl");
    const { log } = logTo({ file });
    for (let n = 0; n < 2_000; n++) log.push(observed({ id: String(n) }));
    log.pushRecord({
      kind: "connection-refused",
      time: "2026-01-01T00:00:00.000Z",
      workload: "shop/orders",
      reason: "x",
    });
    await log.close();
    const written = lines(file);
    expect(written).toHaveLength(2_001);
    expect(written[1_999]).toMatchObject({ id: "1999" });
    expect(written[2_000]).toMatchObject({ kind: "connection-refused" });
  });

  it("drops what does not fit, counts it, and still counts each decision once", async () => {
    const { log, seen } = logTo({ capacity: 10, file: join(folder, "d.jsonl") });
    for (let n = 0; n < 25; n++) log.push(observed());
    expect([seen.dropped, log.dropped]).toEqual([15, 15]);
    await log.close();
    expect(seen.counted).toHaveLength(25);
    expect(lines(join(folder, "d.jsonl"))).toHaveLength(10);
  });

  it("goes on when the file cannot be written or the listener throws, and says so", async () => {
    const file = join(folder, "d.jsonl");
    mkdirSync(file);
    const { log, seen } = logTo({
      file,
      listener: () => {
        throw new Error("listener");
      },
    });
    log.push(observed());
    log.push(observed());
    await log.close();
    expect(seen.counted).toHaveLength(2);
    expect(log.dropped).toBe(2);
    expect(seen.failures).toContain("listener");
    expect(seen.failures.join()).toMatch(/EISDIR/);
  });
});
