import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useTempFolder } from "../testing/temp-folder.ts";
import { fileRecords } from "./file-records.ts";

const line = (workload: string): string =>
  `${JSON.stringify({ kind: "connection-refused", time: "2027-01-01T00:00:00Z", workload, reason: "plaintext" })}\n`;

describe("fileRecords", () => {
  const folder = useTempFolder();

  it("tells what was written after a mark, and waits for the rest of a line", async () => {
    const file = join(folder(), "decisions.jsonl");
    writeFileSync(file, line("shop/web"));
    const records = fileRecords(file);
    const mark = records.mark();
    const [begin, end] = [line("shop/db").slice(0, 20), line("shop/db").slice(20)];
    appendFileSync(file, line("shop/orders") + begin);
    expect(records.since(mark).map(({ workload }) => workload)).toEqual(["shop/orders"]);
    const found = records.waitFor(mark, ({ workload }) => workload === "shop/db", 5_000);
    appendFileSync(file, end);
    expect((await found)?.workload).toBe("shop/db");
  });

  it("gives up at the deadline", async () => {
    const file = join(folder(), "decisions.jsonl");
    writeFileSync(file, line("shop/web"));
    expect(await fileRecords(file).waitFor(0, ({ workload }) => workload === "shop/db", 60)).toBeUndefined();
  });
});
