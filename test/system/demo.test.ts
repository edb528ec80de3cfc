import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { descendantsOf, type ProcessMark, stillRunning } from "../support/descendants.ts";
import { type CommandProcess, startCommand } from "../support/processes.ts";
import { until } from "../support/until.ts";

const WORKLOADS = 4;
const PROMISED_UP_SECONDS = 10;

/** Every attack that the scenario must show, by a word of its row, and how it must have ended. */
const ROWS: readonly [RegExp, RegExp][] = [
  [/web +GET \/orders\/42 at orders/, /200 +allowed-by-rule/],
  [/the wrong identity/, /403 +no-rule-matched/],
  [/the wrong method/, /403 +no-rule-matched/],
  [/the wrong path/, /403 +no-rule-matched/],
  [/where a deny stands/, /403 +denied-by-rule/],
  [/forged x-cellwall-caller/, /403 +no-rule-matched/],
  [/intruder +a query at db/, /closed, 0 bytes +no-rule-matched/],
  [/GET \/status\/\.\.\/admin/, /403 +denied-by-rule/],
  [/GET \/status\/%2e%2e\/admin/, /403 +denied-by-rule/],
  [/GET \/status\/%2e%2e;x\/admin/, /403 +ambiguous-path/],
  [/%2Fadmin/, /400 +path_normalization_failed/],
  [/GET \/\/admin/, /403 +denied-by-rule/],
  [/x-http-method-override/, /200 +allowed-by-rule/],
  [/in plaintext/, /TLS refused +plaintext/],
  [/another trust domain/, /TLS refused +untrusted-certificate/],
  [/two identities/, /403 +malformed-identity/],
  [/app socket/, /reached/],
  [/outbound listener/, /reached/],
  [/Workload API socket/, /reached/],
  [/access\.yaml on disk/, /in force without a restart/],
  [/typing error/, /the edit is refused/],
  [/revoke the intruder/, /revoked-identity/],
];

describe.runIf(process.platform === "linux")("cellwall demo (Linux: /proc tells its processes)", () => {
  let folder = "";
  let demo: CommandProcess;
  /** Every process that the demo was ever seen with. */
  const seen = new Map<string, ProcessMark>();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    seen.clear();
  });
  afterEach(async () => {
    await demo?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  function start(...more: readonly string[]): void {
    demo = startCommand(["demo", ...more], { cwd: folder, env: { TMPDIR: folder } });
  }

  /** Looks at the demo's processes until it has ended or has printed something. */
  async function watch(sign?: string): Promise<void> {
    let ended = false;
    void demo.exited.then(() => {
      ended = true;
    });
    const deadline = performance.now() + 60_000;
    while (!ended && (sign === undefined || !demo.output().includes(sign))) {
      if (performance.now() > deadline) throw new Error(`the demo takes too long:\n${demo.output()}`);
      for (const mark of descendantsOf(demo.pid)) see(mark);
      await sleep(50);
    }
  }

  /** A later look knows better, for between fork and exec a process still has its parent's command line; but while it ends it has none. */
  function see(mark: ProcessMark): void {
    const key = `${mark.pid} ${mark.started}`;
    const before = seen.get(key);
    seen.set(key, mark.command === "" && before !== undefined ? before : mark);
  }

  const envoys = (): number =>
    [...seen.values()].filter(({ command }) => /envoy/.test(command.split(" ")[0] ?? "")).length;
  const leftovers = (): Promise<unknown> =>
    until(
      () => stillRunning([...seen.values()]),
      (left) => left.length === 0,
      { what: "the demo's processes to end" },
    );

  it("plays every step as it should, ends with 0, and leaves no process and no file", async () => {
    start("--once");
    await watch();
    const output = demo.output();
    expect(await demo.exited, output).toBe(0);
    const summary = output.slice(output.indexOf("\nSummary\n")).split("\n");
    const rows = summary.filter((line) => /^ {2}(?:ok|open|FAIL)\b/.test(line));
    for (const [row, end] of ROWS)
      expect(
        rows.filter((line) => row.test(line) && end.test(line)),
        `${row}`,
      ).toHaveLength(1);
    expect(rows.filter((line) => !/^ {2}(?:ok|open) /.test(line))).toEqual([]);
    expect(rows.filter((line) => line.startsWith("  open"))).toHaveLength(3);
    expect(output).toMatch(/one trust zone/);
    const [, seconds] = /up after (\d+\.\d) s/.exec(output) ?? [];
    expect(Number(seconds)).toBeLessThan(PROMISED_UP_SECONDS);
    expect(envoys()).toBeGreaterThanOrEqual(WORKLOADS);
    await leftovers();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("stays up with three next commands until it is interrupted, and leaves nothing then", async () => {
    start();
    await watch("Live decisions");
    expect(demo.output()).toMatch(/ status --state .*\n.* explain .*\n.* ca revoke /);
    await demo.kill("SIGINT");
    expect(await demo.exited).toBe(0);
    expect(envoys()).toBeGreaterThanOrEqual(WORKLOADS);
    await leftovers();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves no process behind even when it is killed", async () => {
    start();
    await watch("up after");
    await demo.kill("SIGKILL");
    expect(envoys()).toBeGreaterThanOrEqual(WORKLOADS);
    await leftovers();
  });
});
