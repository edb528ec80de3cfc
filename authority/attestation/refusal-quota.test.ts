import { expect, it } from "vitest";
import { RefusalQuota } from "./refusal-quota.ts";

it("gives so many at once, and as many an hour, whatever the clock does", () => {
  const start = Date.parse("2030-01-01T00:00:00Z");
  const quota = new RefusalQuota(4);
  const taken = (afterMs: number) =>
    Array.from({ length: 10 }, () => quota.take(new Date(start + afterMs))).filter(Boolean).length;
  expect([taken(0), taken(0), taken(1_800_000), taken(0), taken(5_400_000)]).toEqual([4, 0, 2, 0, 4]);
});
