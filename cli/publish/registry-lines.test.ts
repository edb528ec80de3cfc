import { expect, it } from "vitest";
import { registryLines } from "./registry-lines.ts";

const NOTHING = { added: [], removed: [], changed: [] };

it("says which identities and nodes come, go and change, and nothing where none does", () => {
  expect(registryLines({ nodes: NOTHING, identities: { added: [], removed: [], reissued: [] } })).toEqual([]);
  const lines = registryLines({
    nodes: { added: ["a-3"], removed: ["a-9"], changed: [{ node: "a-1", what: ["labels", "attest"] }] },
    identities: {
      added: [{ identity: "spiffe://s.example/new", nodes: ["a", "b", "c", "d", "e", "f"] }],
      removed: [{ identity: "spiffe://s.example/old", nodes: [] }],
      reissued: [
        { identity: "spiffe://s.example/moved", gains: ["a-3"], loses: ["a-1"] },
        { identity: "spiffe://s.example/renamed", was: "spiffe://s.example/before", gains: ["a-1"], loses: [] },
        { identity: "spiffe://s.example/more", gains: ["a-4"], loses: [] },
        { identity: "spiffe://s.example/fewer", gains: [], loses: ["a-1"] },
      ],
    },
  });
  expect(lines.map((line) => line.trim().replaceAll(/ {2,}/g, " | "))).toEqual([
    "identities",
    "+ spiffe://s.example/new | will be issued on a, b, c, d and 2 more",
    "- spiffe://s.example/old | no longer issued; it was on no node: nothing says where it runs",
    "~ spiffe://s.example/moved | re-issued on a-3, no longer on a-1",
    "~ spiffe://s.example/renamed | re-issued in place of spiffe://s.example/before, on a-1",
    "~ spiffe://s.example/more | issued on a-4 too",
    "~ spiffe://s.example/fewer | no longer on a-1",
    "nodes",
    "+ a-3 | may enrol",
    "- a-9 | its agent is renewed no more and obtains nothing",
    "~ a-1 | other labels, proves itself in another way",
  ]);
});
