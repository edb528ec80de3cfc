import { describe, expect, it } from "vitest";
import { commandLog } from "./command-log.ts";
import { capturedIo } from "./testing/captured-io.ts";

const clock = (): Date => new Date("2026-01-02T03:04:05.678Z");

describe("commandLog", () => {
  it("writes lines for people", () => {
    const io = capturedIo("/", { clock });
    const log = commandLog(io.stderr, { format: "text", clock });
    log.info({ revision: 7, err: new Error("gone") }, "it happened");
    log.warn({}, "take care");
    expect(io.err()).toBe("03:04:05 info: it happened (revision=7, err=gone)\n03:04:05 warn: take care\n");
  });

  it("writes JSON lines for collectors", () => {
    const io = capturedIo("/", { clock });
    commandLog(io.stderr, { format: "json", clock }).error({ err: new Error("gone") }, "it failed");
    expect(JSON.parse(io.err())).toEqual({
      time: "2026-01-02T03:04:05.678Z",
      level: "error",
      message: "it failed",
      err: "gone",
    });
  });

  it("leaves out what is merely worth knowing when it is to be quiet", () => {
    const io = capturedIo("/", { clock });
    const log = commandLog(io.stderr, { format: "text", clock, quiet: true });
    log.info({}, "it happened");
    log.error({}, "it failed");
    expect(io.err()).toBe("03:04:05 error: it failed\n");
  });
});
