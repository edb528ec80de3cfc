import { readFileSync } from "node:fs";

/** Resident memory of one process, children not counted, in MB; Linux alone tells. */
export function residentMegabytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (Number(kib) * 1024) / 1e6;
}
