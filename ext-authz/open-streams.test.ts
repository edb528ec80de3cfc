import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../spiffe/index.ts";
import { OpenStreams } from "./open-streams.ts";

const web = parseSpiffeId("spiffe://shop.example/shop/web");
const since = new Date("2030-01-01T00:00:00Z");

describe("what is open at a sidecar", () => {
  const clock = { nowMs: 1_000_000 };
  const make = () => new OpenStreams(() => clock.nowMs);
  const event = { kind: "open", id: "1", transport: "http", caller: web, since } as const;

  it("is counted by caller and kind, with the end of the last", () => {
    const open = make();
    open.take(event);
    open.take(event);
    open.take({ ...event, id: "2", transport: "tcp", since: new Date("2030-01-01T00:10:00Z") });
    expect(open.summary()).toEqual([
      { caller: web.toString(), streams: 1, connections: 1, until: new Date("2030-01-01T01:10:00Z") },
    ]);
  });

  it("goes with its end, or when the sidecar says nothing more of it", () => {
    const open = make();
    open.take(event);
    open.take({ ...event, id: "2" });
    open.take({ ...event, kind: "ended" });
    expect(open.summary()[0]?.streams).toBe(1);
    clock.nowMs += 20_000;
    expect(open.summary()).toEqual([]);
    open.take({ ...event, kind: "ended", id: "never told of" });
    expect(open.summary()).toEqual([]);
  });

  it("is asked for by caller and age", () => {
    const open = make();
    open.take(event);
    expect(open.has(web.toString(), since)).toBe(true);
    expect(open.has(web.toString(), new Date(since.getTime() - 1))).toBe(false);
    expect(open.has("spiffe://shop.example/shop/batch", since)).toBe(false);
  });
});
