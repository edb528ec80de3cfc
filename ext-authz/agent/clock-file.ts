import { messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { StateDir } from "./state-dir.ts";

const FILE = "clock.json";

/** The highest instant that earlier runs knew; undefined where none is kept. */
export function readClockFloor(files: StateDir): Date | undefined {
  const stored = files.readJson(FILE);
  const floor = typeof stored === "object" && stored !== null && "floor" in stored ? stored.floor : undefined;
  const at = typeof floor === "string" ? new Date(floor) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at;
}

/** Keeps the clock's present instant; a full disk is logged and does not stop decisions. */
export function saveClockFloor(files: StateDir, now: Date, log: Logger): void {
  try {
    files.writeJson(FILE, { floor: now.toISOString() });
  } catch (error) {
    log.error({ error: messageOf(error) }, "the agent's clock could not be kept");
  }
}
