import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { runCommand } from "../support/processes.ts";

it("a program that waits for its first identity goes on waiting until its time is up, and says why there is none", async () => {
  const args = ["svid", "x509", "--address", "unix:///nowhere.sock", "--timeout", "1"];
  const { code, output } = await runCommand(args, { cwd: tmpdir() });
  expect([code, output]).toEqual([3, expect.stringContaining("the Workload API does not answer")]);
});
