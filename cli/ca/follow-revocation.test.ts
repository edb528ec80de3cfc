import { describe, expect, it } from "vitest";
import type { OpenReport } from "../../protocol/index.ts";
import { followRevocation } from "./follow-revocation.ts";

const WEB = "spiffe://shop.example/shop/web";
const answer = { sequence: 7, serials: 1, identities: [WEB] };
const open = (caller = WEB) => ({
  workload: "shop/orders",
  caller,
  streams: 1,
  connections: 0,
  until: "2030-01-01T01:00:00Z",
});
const nodeOf = (node: string, revocations: number, callers: readonly string[] = []) => ({
  node,
  reportedAt: "2030-01-01T00:00:00Z",
  revocations,
  open: callers.map(open),
});

/** Looks once at a mesh, `afterMs` after the command. */
function followed(nodes: OpenReport["nodes"], { sever = false, afterMs = 500 } = {}) {
  let nowMs = 0;
  const look = async (): Promise<OpenReport> => {
    nowMs += afterMs;
    return { nodes };
  };
  return followRevocation(answer, { sever, look, nowMs: () => nowMs, signal: AbortSignal.abort() });
}

describe("following a revocation", () => {
  it("tells of what the revoked identities have open, and of nobody else's", async () => {
    const outcome = await followed([nodeOf("host-1", 7, [WEB, "spiffe://shop.example/shop/batch"])]);
    expect(outcome).toMatchObject({ inForce: ["host-1"], lagging: [], open: [{ node: "host-1", caller: WEB }] });
    expect(outcome.severedAfter).toBeUndefined();
  });

  it("waits for a node that is on its way, and names one that is not", async () => {
    let looks = 0;
    const look = async (): Promise<OpenReport> => ({ nodes: [nodeOf("host-1", looks++ < 2 ? 6 : 7)] });
    const outcome = await followRevocation(answer, { sever: false, look, signal: new AbortController().signal });
    expect([outcome.lagging, looks]).toEqual([[], 3]);
    expect((await followed([nodeOf("host-1", 7), nodeOf("host-9", 6)])).lagging).toEqual(["host-9"]);
  });

  it("says that it is severed only where nothing is open and no node is behind", async () => {
    const late = { sever: true, afterMs: 8_000 };
    expect((await followed([nodeOf("host-1", 7)], late)).severedAfter).toBeGreaterThanOrEqual(8);
    expect((await followed([nodeOf("host-9", 6)], late)).severedAfter).toBeUndefined();
    expect((await followed([nodeOf("host-1", 7, [WEB])], late)).severedAfter).toBeUndefined();
  });
});
