import { expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";

it("refuses a source that no team could have, before anybody is asked", async () => {
  for (const name of ["Bad Name", "orders-", "a".repeat(64)]) {
    const io = capturedIo("/");
    expect([await run(["publish", "--source", name], io), io.out()]).toEqual([2, ""]);
    expect(io.err()).toMatch(new RegExp(`error: \`${name}\` cannot be the name of a source\\n hint: a team's source`));
  }
});
