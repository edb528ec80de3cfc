import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CrashPoint } from "./context.ts";
import { startCounting } from "./counters.ts";
import { checkLedger, type LedgerHead, ledgerHead } from "./ledger.ts";
import { startQueue } from "./queue.ts";
import { refused, type Work } from "./settling.ts";
import { SettlingGroup } from "./settling-group.ts";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority } from "./testing/authority.ts";

describe("requests that come at once", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    t = await openTestAuthority({ folder });
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });

  const grants =
    (serial: string): Work<string> =>
    async () => ({
      kind: "issued",
      issued: [
        { credential: serial, note: { kind: "x509-svid", identity: "spiffe://shop.example/x", serial, evidence: "e" } },
      ],
    });
  const serials = async (): Promise<readonly (string | null)[]> => {
    const rows = t.db.selectFrom("ca_ledger").select("serial").where("kind", "=", "x509-svid").orderBy("sequence");
    return (await rows.execute()).map(({ serial }) => serial);
  };

  /** A group over the authority's tables, with what it has told and reached. */
  function open(reached: (point: CrashPoint) => void = () => undefined) {
    const queue = startQueue();
    const commits: [LedgerHead, LedgerHead][] = [];
    const counters = startCounting();
    const group = new SettlingGroup({
      context: { db: t.db, clock: t.clock.now, reached },
      counters,
      exclusively: (work) => queue.run(work),
      appended: async (from, to) => void commits.push([from, to]),
    });
    return { group, queue, commits, counters };
  }

  it("share one commit, in the order they came, and each gets its own", async () => {
    const { commits, counters, group } = open();
    const before = await ledgerHead(t.db);
    const issued = await Promise.all(["a1", "a2", "a3"].map((serial) => group.settle(grants(serial))));
    expect(issued.map(([one]) => one?.credential)).toEqual(["a1", "a2", "a3"]);
    expect(commits).toEqual([[before, await ledgerHead(t.db)]]);
    expect(await serials()).toEqual(["a1", "a2", "a3"]);
    expect(counters.read()).toMatchObject({ issued: 3, refused: 0 });
    expect(await checkLedger(t.db)).toMatchObject({ ok: true });
  });

  it("leave the others be where one throws and one is refused; the refusal is in the ledger before it is told", async () => {
    const { commits, counters, group } = open();
    const about = {
      identity: "spiffe://shop.example/y",
      evidence: "e",
      code: "ERR_CA_REVOKED",
      reason: "revoked",
    } as const;
    const results = await Promise.allSettled([
      group.settle(grants("b1")),
      group.settle(() => Promise.reject(new Error("broken"))),
      group.settle(async () => refused(about)),
      group.settle(grants("b2")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(await serials()).toEqual(["b1", "b2"]);
    expect(commits).toHaveLength(1);
    expect(counters.read()).toMatchObject({ issued: 2, refused: 1 });
    expect((await t.ca.ledger({ identity: about.identity })).entries).toMatchObject([
      { kind: "refusal", reason: "revoked" },
    ]);
  });

  it("get nothing, all of them, where the ledger's entries do not reach the disk", async () => {
    const { commits, counters, group } = open();
    await group.settle(grants("c1"));
    const head = await ledgerHead(t.db);
    // The ledger takes no serial twice.
    const results = await Promise.allSettled([group.settle(grants("c2")), group.settle(grants("c1"))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await ledgerHead(t.db)).toEqual(head);
    expect(commits).toHaveLength(1);
    expect(counters.read().issued).toBe(1);
    expect((await group.settle(grants("c3"))).length).toBe(1);
  });

  it("are answered only once all their entries are on the disk", async () => {
    const seen: string[] = [];
    const { group } = open((point) => seen.push(point));
    const ask = (serial: string) => group.settle(grants(serial)).then(() => seen.push(`answered ${serial}`));
    await Promise.all([ask("d1"), ask("d2")]);
    expect(seen).toEqual(["signed", "recorded", "answered d1", "answered d2"]);
  });

  it("come after whatever was asked for before them, though others of their kind wait in front of it", async () => {
    const { group, queue } = open();
    const first = group.settle(grants("e1"));
    group.close();
    const change = queue.run(serials);
    await Promise.all([first, group.settle(grants("e2")), group.settle(grants("e3"))]);
    expect(await change).toEqual(["e1"]);
    expect(await serials()).toEqual(["e1", "e2", "e3"]);
  });

  it("are at most 64 in one commit", async () => {
    const { commits, group } = open();
    await Promise.all(Array.from({ length: 130 }, (_, index) => group.settle(grants(`f${index}`))));
    expect(commits.map(([from, to]) => to.sequence - from.sequence)).toEqual([64, 64, 2]);
  });

  it("that cannot have their turn are told why, whoever has joined by then", async () => {
    const { counters } = open();
    const group = new SettlingGroup({
      context: { db: t.db, clock: t.clock.now, reached: () => undefined },
      counters,
      exclusively: () => Promise.reject(new Error("closed")),
      appended: () => Promise.resolve(),
    });
    const results = await Promise.allSettled([group.settle(grants("g1")), group.settle(grants("g2"))]);
    expect(results).toMatchObject([{ reason: { message: "closed" } }, { reason: { message: "closed" } }]);
    expect(await serials()).toEqual([]);
  });
});
