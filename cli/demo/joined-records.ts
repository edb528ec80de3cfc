import type { StageMesh } from "./step.ts";

type Records = StageMesh["records"];

/** The records of several decision logs as one; a mark is a place in each of them. */
export function joinedRecords(logs: readonly Records[]): Records {
  const marks: (readonly number[])[] = [];
  const after = (mark: number, log: number): number => marks[mark]?.[log] ?? 0;
  return {
    mark: () => marks.push(logs.map((log) => log.mark())) - 1,
    since: (mark) => logs.flatMap((log, index) => log.since(after(mark, index))),
    waitFor(mark, fits, deadlineMs) {
      const waiting = logs.map((log, index) => log.waitFor(after(mark, index), fits, deadlineMs));
      return new Promise((resolve, reject) => {
        for (const each of waiting) each.then((found) => found !== undefined && resolve(found), reject);
        Promise.all(waiting).then((all) => resolve(all.find((found) => found !== undefined)), reject);
      });
    },
  };
}
