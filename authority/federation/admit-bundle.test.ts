import { describe, expect, it } from "vitest";
import type { TrustBundle } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { admitBundle } from "./admit-bundle.ts";

const [old, next] = [createTestCa({ trustDomain: "p.example" }), createTestCa({ trustDomain: "p.example" })];
const of = (ca: typeof old, sequence?: bigint, refreshHintSeconds?: number): TrustBundle => ({
  ...ca.bundle(),
  ...(sequence === undefined ? {} : { sequence }),
  ...(refreshHintSeconds === undefined ? {} : { refreshHintSeconds }),
});

describe("a foreign bundle", () => {
  it.each<[string, TrustBundle | undefined, TrustBundle, string]>([
    ["the first one", undefined, of(next, 3n), "newer"],
    ["the same again", of(old, 3n, 60), of(old, 3n, 60), "same"],
    ["a greater sequence", of(old, 3n), of(next, 4n), "newer"],
    ["a sequence beyond 2^53, greater by one", of(old, 9007199254740992n), of(next, 9007199254740993n), "newer"],
    ["an older sequence", of(old, 3n), of(next, 2n), "refused"],
    ["an older sequence over the same keys", of(old, 3n), of(old, 2n), "refused"],
    ["other keys under the same sequence", of(old, 3n), of(next, 3n), "refused"],
    ["another hint under the same sequence", of(old, 3n, 60), of(old, 3n, 90), "newer"],
    ["no sequence any more", of(old, 3n), of(next), "refused"],
    ["a sequence for the first time", of(old), of(next, 1n), "newer"],
    ["no sequence at all", of(old), of(next), "newer"],
  ])("B-2: %s", (_what, known, fetched, kind) => {
    expect(admitBundle(known, fetched).kind).toBe(kind);
  });
});
