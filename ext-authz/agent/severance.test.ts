import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OpenStreamEvent } from "../../envoy/index.ts";
import type { RevocationsDocument } from "../../protocol/index.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { MonotonicClock } from "../monotonic-clock.ts";
import { OpenStreams } from "../open-streams.ts";
import { capturingLogger } from "../testing/capture.ts";
import { SEVER_FILE, Severance } from "./severance.ts";

const WEB = "spiffe://shop.example/shop/web";
const START = Date.parse("2030-01-01T00:00:00Z");

describe("severing callers", () => {
  let folder = "";
  let nowMs = START;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    nowMs = START;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function make() {
    const clock = new MonotonicClock({ wall: () => new Date(nowMs), monotonicMs: () => nowMs });
    const open = new OpenStreams(() => nowMs);
    const sidecar = { workload: "shop/orders", folder, open };
    const severance = new Severance({
      clock,
      log: capturingLogger(),
      sidecars: () => [sidecar],
      changed: () => undefined,
    });
    const tell = (fields: Partial<OpenStreamEvent> = {}): void => {
      const caller = parseSpiffeId(WEB);
      const event = { kind: "open", id: "1", transport: "tcp", caller, since: new Date(nowMs), ...fields } as const;
      open.take(event);
      severance.told(sidecar, event);
    };
    return { severance, tell };
  }
  const documentOf = (at = new Date(nowMs)): RevocationsDocument => ({
    format: "cellwall.revocations/1",
    trustDomain: "shop.example",
    sequence: 2,
    issuedAt: at.toISOString(),
    serials: [],
    identities: [],
    nodes: [],
    severed: [{ identity: WEB, at: at.toISOString() }],
  });
  const order = (): string | undefined => {
    try {
      return readFileSync(join(folder, SEVER_FILE), "utf8");
    } catch {
      return undefined;
    }
  };

  it("orders the end of what is open, and nothing where nothing is", () => {
    const { severance, tell } = make();
    severance.take(documentOf());
    expect(order()).toBeUndefined();
    tell({ since: new Date(nowMs - 1_000) });
    expect(order()).toBeDefined();
  });

  it("orders again for what is told late, and not for what began after it", () => {
    const { severance, tell } = make();
    tell({ since: new Date(nowMs - 60_000) });
    severance.take(documentOf());
    const first = order();
    expect(first).toBeDefined();
    tell({ id: "1", kind: "ended" });
    nowMs += 5_000;
    tell({ id: "2", since: new Date(nowMs - 1_000) });
    expect(order()).toBe(first);
    tell({ id: "3", since: new Date(nowMs - 6_000) });
    expect(order()).not.toBe(first);
  });

  it("orders nothing anew for a document that says the same, nor after a restart for what came since", () => {
    const { severance, tell } = make();
    const document = documentOf(new Date(nowMs - 60_000));
    severance.take(document, { restored: true });
    tell({ since: new Date(nowMs - 30_000) });
    severance.take({ ...document, sequence: 3 });
    expect(order()).toBeUndefined();
  });

  it("never writes through a link in the workload's folder", () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "kept");
    for (const name of [SEVER_FILE, `${SEVER_FILE}.new`]) symlinkSync(victim, join(folder, name));
    const { severance, tell } = make();
    severance.take(documentOf());
    tell({ since: new Date(nowMs - 1_000) });
    expect([readFileSync(victim, "utf8"), lstatSync(join(folder, SEVER_FILE)).isSymbolicLink()]).toEqual([
      "kept",
      false,
    ]);
  });
});
