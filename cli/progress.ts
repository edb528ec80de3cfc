import { performance } from "node:perf_hooks";
import { printable } from "../policies/printable.ts";
import type { Output } from "./io.ts";

/** Says on a terminal how far long work has come; on a pipe nothing. */
export interface Progress {
  /** Shows what is being done, at most every 100 ms; `done` of `total` where both are known. */
  show(what: string, done?: number, total?: number): void;
  /** Takes the line away again. */
  clear(): void;
}

const EVERY_MS = 100;
const ERASE = "\r\u001b[2K";
const SILENT: Progress = { show: () => {}, clear: () => {} };

/** Progress on one line of `output`, most often standard error. */
export function startProgress(output: Output, clock: () => number = () => performance.now()): Progress {
  if (output.terminal !== true) return SILENT;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    show(what, done, total) {
      const nowMs = clock();
      if (nowMs - shownAtMs < EVERY_MS) return;
      shownAtMs = nowMs;
      shown = true;
      const share = done === undefined || total === undefined || total === 0 ? "" : ` ${percent(done, total)} %`;
      output.write(`${ERASE}${printable(`${what}${share} …`, Math.max(10, output.columns - 1))}`);
    },
    clear() {
      if (shown) output.write(ERASE);
      shown = false;
      shownAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

function percent(done: number, total: number): number {
  return Math.floor((100 * Math.min(done, total)) / total);
}
