import { readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord } from "../../ext-authz/index.ts";
import type { StageMesh } from "./step.ts";

const LOOK_EVERY_MS = 25;

/** The records of a decision log that another process writes; a mark is a place in the file, in bytes. */
export function fileRecords(file: string): StageMesh["records"] {
  const since = (mark: number): readonly LogRecord[] => {
    const text = readFileSync(file).subarray(mark).toString("utf8");
    return text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter((line) => line !== "")
      .map(parseRecord);
  };
  return {
    mark: () => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    since,
    async waitFor(mark, fits, deadlineMs) {
      for (const end = performance.now() + deadlineMs; ; await sleep(LOOK_EVERY_MS)) {
        const found = since(mark).find(fits);
        if (found !== undefined || performance.now() > end) return found;
      }
    },
  };
}

function parseRecord(line: string): LogRecord {
  return JSON.parse(line) as LogRecord;
}
