import { readdirSync, readFileSync } from "node:fs";

/** One process as the kernel tells it from later ones with its number. */
export interface ProcessMark {
  readonly pid: number;
  readonly started: string;
  readonly command: string;
}

/** Every process below this one, at this moment (Linux). */
export function descendantsOf(pid: number): readonly ProcessMark[] {
  const all = everyProcess();
  const found: ProcessMark[] = [];
  const parents = new Set([pid]);
  // A parent's number may be above its child's: repeated until nothing is added.
  for (let before = -1; before !== parents.size; ) {
    before = parents.size;
    for (const { parent, ...mark } of all) {
      if (parents.has(mark.pid) || !parents.has(parent)) continue;
      parents.add(mark.pid);
      found.push(mark);
    }
  }
  return found;
}

/** Those of them that still run; a process that has ended and only waits for its parent does not. */
export function stillRunning(marks: readonly ProcessMark[]): readonly ProcessMark[] {
  const now = new Map(everyProcess().map((one) => [one.pid, one.started]));
  return marks.filter(({ pid, started }) => now.get(pid) === started);
}

function everyProcess(): readonly (ProcessMark & { readonly parent: number })[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(name) ?? []);
}

function processOf(name: string): (ProcessMark & { readonly parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, "utf8");
    // `pid (command) state parent …`; the command may hold anything, parentheses too. The start time is field 22.
    const [state = "", parent = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z") return undefined;
    const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid: Number(name), parent: Number(parent), started: rest[17] ?? "", command };
  } catch {
    return undefined;
  }
}
