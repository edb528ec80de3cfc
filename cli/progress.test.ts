import { describe, expect, it } from "vitest";
import { startProgress } from "./progress.ts";

const output = (terminal: boolean | undefined) => {
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  return { written, write, color: true, columns: 40, ...(terminal === undefined ? {} : { terminal }) };
};

describe("startProgress", () => {
  it("writes nothing on a pipe, colours or not", () => {
    for (const terminal of [false, undefined]) {
      const to = output(terminal);
      const progress = startProgress(to);
      progress.show("lint", 1, 2);
      progress.clear();
      expect(to.written).toEqual([]);
    }
  });

  it("shows one line on a terminal, not more often than every 100 ms, and takes it away", () => {
    const to = output(true);
    let nowMs = 0;
    const progress = startProgress(to, () => nowMs);
    progress.show("tests", 1, 3);
    progress.show("tests", 2, 3);
    nowMs = 100;
    progress.show("tests\n", 3, 3);
    progress.clear();
    progress.clear();
    expect(to.written).toEqual(["\r\u001b[2Ktests 33 % …", "\r\u001b[2Ktests\\u000a 100 % …", "\r\u001b[2K"]);
  });
});
