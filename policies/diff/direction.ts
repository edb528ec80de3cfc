import type { Direction } from "./report.ts";

/** The direction of what allows more, less, or both. */
export function directionOf(broader: boolean, narrower: boolean): Direction {
  if (broader && narrower) return "both";
  if (broader) return "broader";
  return narrower ? "narrower" : "equivalent";
}

/** Whether a direction allows something more. */
export function isBroader(direction: Direction): boolean {
  return direction === "broader" || direction === "both";
}

/** Whether a direction allows something less. */
export function isNarrower(direction: Direction): boolean {
  return direction === "narrower" || direction === "both";
}

/** Several directions together. */
export function joinDirections(directions: readonly Direction[]): Direction {
  return directionOf(directions.some(isBroader), directions.some(isNarrower));
}
