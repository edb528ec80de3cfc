import type { StageMesh } from "./step.ts";
import { until } from "./until.ts";

type Records = StageMesh["records"];

/** The records of several decision logs as one; a mark is a place in each of them. */
export function joinedRecords(logs: readonly Records[]): Records {
  const marks: (readonly number[])[] = [];
  const since: Records["since"] = (mark) => logs.flatMap((log, index) => log.since(marks[mark]?.[index] ?? 0));
  return {
    mark: () => marks.push(logs.map((log) => log.mark())) - 1,
    since,
    waitFor: (mark, fits, deadlineMs) =>
      until(
        () => since(mark).find(fits),
        (found) => found !== undefined,
        deadlineMs,
      ),
  };
}
