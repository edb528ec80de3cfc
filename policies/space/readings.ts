import type { PathOptions, Workload } from "../model/index.ts";

/** The different ways in which the sides read paths, and which way each side does. */
export function readingsOf(workloads: readonly (Workload | undefined)[]): {
  readonly readings: readonly PathOptions[];
  readonly of: readonly number[];
} {
  const readings: PathOptions[] = [];
  const of = workloads.map((workload) => {
    if (workload === undefined) return 0;
    const known = readings.findIndex((reading) => isSameReading(reading, workload.paths));
    return known === -1 ? readings.push(workload.paths) - 1 : known;
  });
  return { readings, of };
}

/** Whether two workloads read every path alike. */
export function isSameReading(left: PathOptions, right: PathOptions): boolean {
  return left.caseInsensitive === right.caseInsensitive && left.matrixParameters === right.matrixParameters;
}
