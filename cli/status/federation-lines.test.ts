import { describe, expect, it } from "vitest";
import type { AuthorityStatus } from "../../protocol/index.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { federationAttention, federationLines } from "./federation-lines.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const at = (secondsAgo: number): string => new Date(NOW.getTime() - secondsAgo * 1000).toISOString();
type Domain = NonNullable<AuthorityStatus["federation"]>[number];

const fetched = (fields: Partial<Domain> = {}): Domain => ({
  trustDomain: "partner.example",
  profile: "https_spiffe",
  url: "https://partner.example:8443/",
  keys: 2,
  sequence: "7",
  refreshHintSeconds: 300,
  fetchedAt: at(30),
  nextAt: at(-270),
  ...fields,
});
const text = (...federation: readonly Domain[]) =>
  federationLines({ federation: [...federation] }, capturedIo("/", { clock: () => NOW })).join("\n");

describe("federation in the status", () => {
  it("says of each trust domain where its bundle comes from and how fresh it is", () => {
    expect(text(fetched())).toMatch(
      /partner.example +https_spiffe +2 keys, sequence 7 +fetched 30 s ago, again in 5 min/,
    );
    expect(text({ trustDomain: "static.example", keys: 1 })).toMatch(/static.example +bundle in the mesh +1 key/);
    expect(federationLines({}, capturedIo("/"))).toEqual([]);
  });

  it("shows what went wrong, made printable", () => {
    const shown = text(fetched({ problem: "no answer \u001b[31m" }));
    expect(shown).toContain("problem: no answer ");
    expect(shown).not.toContain("\u001b");
  });

  it.each<[Domain, readonly string[]]>([
    [fetched(), []],
    [fetched({ problem: "away", fetchedAt: at(800) }), []],
    [
      fetched({ problem: "away", fetchedAt: at(1000) }),
      ["the bundle of `partner.example` has not been confirmed for 17 min"],
    ],
    [{ trustDomain: "x.example" }, ["there is no bundle of `x.example`: its callers are refused"]],
    [
      { trustDomain: "x.example", profile: "https_web", keys: 1, problem: "away" },
      ["the bundle of `x.example` has never been fetched"],
    ],
    [{ trustDomain: "x.example", keys: 1 }, []],
  ])("asks for attention where it must: %#", (domain, attention) => {
    expect(federationAttention({ federation: [domain] }, NOW)).toEqual(attention);
  });

  it("asks for attention where a server for others is not served", () => {
    const outward = [
      { name: "bundleEndpoint" as const, listen: "0.0.0.0:8443", problem: "something else listens there" },
    ];
    expect(federationAttention({ outward }, NOW)).toEqual(["the bundle endpoint is not served"]);
  });
});
