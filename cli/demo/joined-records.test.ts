import { describe, expect, it } from "vitest";
import type { LogRecord } from "../../ext-authz/index.ts";
import { createRecordLog } from "../local-mesh/index.ts";
import { joinedRecords } from "./joined-records.ts";

const of = (workload: string): LogRecord => ({
  kind: "connection-refused",
  time: "2027-01-01T00:00:00Z",
  workload,
  reason: "plaintext",
});

describe("joinedRecords", () => {
  it("tells what came after a mark in any of the logs, and nothing from before it", () => {
    const [one, other] = [createRecordLog(), createRecordLog()];
    const joined = joinedRecords([one, other]);
    one.add(of("store/before"));
    const first = joined.mark();
    other.add(of("pay/between"));
    const second = joined.mark();
    one.add(of("store/after"));
    const names = (mark: number) => joined.since(mark).map(({ workload }) => workload);
    expect([names(first), names(second)]).toEqual([["store/after", "pay/between"], ["store/after"]]);
  });

  it("waits for the first that fits, whichever log has it, and gives up when none has", async () => {
    const logs = [createRecordLog(), createRecordLog()];
    const joined = joinedRecords(logs);
    const mark = joined.mark();
    const found = joined.waitFor(mark, ({ workload }) => workload === "pay/ledger", 10_000);
    logs[0]?.add(of("store/orders"));
    logs[1]?.add(of("pay/ledger"));
    expect((await found)?.workload).toBe("pay/ledger");
    expect(await joined.waitFor(mark, ({ workload }) => workload === "pay/gateway", 20)).toBeUndefined();
  });
});
