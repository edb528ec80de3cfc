import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask } from "../../cli/admin-client.ts";
import { type AdminAccess, readAdminAccess, stateFolder } from "../../cli/state-folder.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { publishResponse } from "../../protocol/index.ts";
import { X509Source } from "../../spiffe/workload-api/index.ts";
import { atDepth } from "../support/depth.ts";
import { manyWorkloads } from "../support/many-workloads.ts";
import { type CommandProcess, startCommand } from "../support/processes.ts";
import { recordResult } from "../support/record-result.ts";
import { until } from "../support/until.ts";

/** Bars of an idle machine; at quick depth other tests may have just filled it. */
const FIRST_MS = atDepth({ quick: 10_000, full: 2_000 });
const CHANGE_MS = atDepth({ quick: 5_000, full: 500 });
const STARTS = atDepth({ quick: 1, full: 7 });
const CHANGES = atDepth({ quick: 2, full: 20 });

describe("one command, from nothing", () => {
  let folder = "";
  let running: CommandProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
  });
  afterEach(async () => {
    await running?.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts `cellwall up` on files that lie there; resolves as soon as its authority answers. */
  async function up(at: string): Promise<AdminAccess> {
    mkdirSync(join(at, "policies"), { recursive: true });
    writeFileSync(join(at, "policies", "mesh.yaml"), manyWorkloads(2));
    running = startCommand(["up", "--port", "0"], { cwd: at });
    const state = stateFolder(".cellwall", at);
    return await until(
      () => readAdminAccess(state),
      (found) => found !== undefined,
      { deadlineMs: 30_000, what: `\`cellwall up\` to answer\n${running.output()}` },
    );
  }

  const socketOf = (at: string, name: string): string =>
    socketPaths(join(at, ".cellwall", "run"), { namespace: "shop", name }).workload;

  /** What a program gets that waits for its identity; closes what it has opened. */
  async function firstSvid(at: string, name: string): Promise<string> {
    const socket = socketOf(at, name);
    await until(() => existsSync(socket), Boolean, { deadlineMs: 30_000, what: `the socket of ${name}` });
    const source = await X509Source.open({ address: `unix://${socket}`, signal: AbortSignal.timeout(30_000) });
    try {
      return source.svid.id.toString();
    } finally {
      source.close();
    }
  }

  it("a first X.509-SVID is there soon after the authority answers", async () => {
    const tookMs: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      const at = join(folder, String(start));
      await up(at);
      const healthyMs = performance.now();
      expect(await firstSvid(at, "web")).toBe("spiffe://test.example/shop/web");
      tookMs.push(performance.now() - healthyMs);
      await running?.kill("SIGTERM");
    }
    record("first-svid", tookMs);
    expect(Math.max(...tookMs)).toBeLessThan(FIRST_MS);
  });

  it("a workload that a change of the registry brings has its SVID soon after the change was sent", async () => {
    const access = await up(folder);
    await firstSvid(folder, "web");
    const tookMs: number[] = [];
    for (let change = 1; change <= CHANGES; change += 1) {
      const files = [{ path: "mesh.yaml", text: manyWorkloads(2 + change) }];
      const sentMs = performance.now();
      const [published, id] = await Promise.all([
        ask(access, { method: "POST", path: "/v1/policies", body: { files }, answer: publishResponse }),
        firstSvid(folder, `app-${1 + change}`),
      ]);
      tookMs.push(performance.now() - sentMs);
      expect([published.published, id]).toEqual([true, `spiffe://test.example/shop/app-${1 + change}`]);
    }
    record("registry-change", tookMs);
    expect(median(tookMs)).toBeLessThan(CHANGE_MS);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function record(name: string, tookMs: readonly number[]): void {
  const [least, most] = [Math.min(...tookMs), Math.max(...tookMs)].map(Math.round);
  recordResult(name, { times: tookMs.length, milliseconds: { least, median: Math.round(median(tookMs)), most } });
}
