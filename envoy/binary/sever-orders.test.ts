import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { followOrders } from "./sever-orders.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

it("follows each new order once; one of before the start, and a file that goes, are none", () => {
  const file = join(folder, "sever");
  writeFileSync(file, "before");
  let orders = 0;
  const stop = followOrders(file, () => orders++);
  const look = (): number => {
    vi.advanceTimersByTime(1_000);
    return orders;
  };
  expect(look()).toBe(0);
  rmSync(file);
  expect(look()).toBe(0);
  writeFileSync(file, "before");
  expect(look()).toBe(0);
  writeFileSync(file, "one");
  expect(look()).toBe(1);
  writeFileSync(file, "two");
  expect(look()).toBe(2);
  stop();
  writeFileSync(file, "three");
  expect(look()).toBe(2);
});
