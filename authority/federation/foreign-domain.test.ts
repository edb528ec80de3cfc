import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Federation } from "../../policies/index.ts";
import { formatTrustBundle, parseSpiffeId, parseTrustDomain, type TrustBundle } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { memoryForeignBundleStore } from "./foreign-bundle-store.ts";
import { ForeignDomain, type ForeignDomainOptions } from "./foreign-domain.ts";

const ca = createTestCa({ trustDomain: "p.example" });
const trustDomain = parseTrustDomain("p.example");
const url = "https://p.example/";
const web: Federation = { trustDomain, endpoint: { profile: "https_web", url } };
const inline = (bundle: TrustBundle) => ({ bundle: { inline: formatTrustBundle(bundle) } });
const of = (sequence: bigint, refreshHintSeconds?: number): TrustBundle => ({
  ...createTestCa({ trustDomain: "p.example" }).bundle(),
  sequence,
  ...(refreshHintSeconds === undefined ? {} : { refreshHintSeconds }),
});

let domain: ForeignDomain;
let answers: (TrustBundle | Error)[];
let asked: { at: number; target: Parameters<ForeignDomainOptions["fetch"]>[0] }[];
let problems: string[];
let changes: number;
const store = { current: memoryForeignBundleStore() };
const START = Date.parse("2030-01-01T00:00:00Z");

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  [answers, asked, problems, changes] = [[], [], [], 0];
  store.current = memoryForeignBundleStore();
});
afterEach(async () => {
  await domain.close();
  vi.useRealTimers();
});

async function begin(config: Federation, more: Partial<ForeignDomainOptions> = {}): Promise<void> {
  const [kept] = await store.current.load();
  domain = new ForeignDomain(config, {
    clock: () => new Date(),
    store: store.current,
    vouching: () => undefined,
    changed: () => changes++,
    problem: (_trustDomain, problem) => problems.push(problem),
    leastPollSeconds: 10,
    fetch: async (target) => {
      asked.push({ at: (Date.now() - START) / 1000, target });
      const answer = answers.shift() ?? new Error("no answer");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    ...more,
  });
  await domain.begin(kept);
  await vi.advanceTimersByTimeAsync(0);
}
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const times = () => asked.map(({ at }) => at);

describe("the bundle endpoint of a federated trust domain", () => {
  it("F-6: is asked at once and then at the refresh hint of the newest bundle", async () => {
    answers = [of(1n, 60), of(2n, 20), of(3n, 20)];
    await begin(web);
    await pass(59);
    expect(times()).toEqual([0]);
    await pass(1 + 19);
    expect(times()).toEqual([0, 60]);
    await pass(1);
    expect(times()).toEqual([0, 60, 80]);
    expect([changes, problems, domain.state.bundle?.sequence]).toEqual([3, [], 3n]);
    expect(domain.state.nextAt?.toISOString()).toBe("2030-01-01T00:01:40.000Z");
  });

  it.each<[string, bigint | undefined, number]>([
    ["without a hint every 5 minutes", undefined, 300],
    ["with a hint of nothing not in a storm", 0n, 10],
    ["with a hint of years once a day", 1_000_000_000n, 86_400],
  ])("B-3: is asked %s", async (_what, hint, seconds) => {
    answers = [of(1n, hint === undefined ? undefined : Number(hint)), of(2n, 60)];
    await begin(web);
    await pass(seconds - 1);
    expect(times()).toEqual([0]);
    await pass(1);
    expect(times()).toEqual([0, seconds]);
  });

  it("F-6: that fails is asked again at the next interval only; what was known stays in use", async () => {
    answers = [of(1n, 60), new Error("away"), new Error("away"), of(1n, 60)];
    answers[3] = answers[0] ?? answers[3] ?? new Error("");
    await begin(web);
    const { fetchedAt } = domain.state;
    await pass(60);
    expect(times()).toEqual([0, 60]);
    expect(domain.state).toMatchObject({ problem: "away", fetchedAt });
    expect(domain.state.bundle?.sequence).toBe(1n);
    await pass(60);
    expect([times(), problems]).toEqual([[0, 60, 120], ["away"]]);
    await pass(60);
    expect(domain.state.problem).toBeUndefined();
    expect(domain.state.fetchedAt?.getTime()).toBe(START + 180_000);
    expect(changes).toBe(1);
  });

  it("B-2: that answers with an older sequence changes nothing, also after a restart", async () => {
    answers = [of(5n, 60), of(4n, 60)];
    await begin(web);
    await pass(60);
    expect(domain.state.problem).toBe(
      "its endpoint's answer is refused: its sequence 4 is older than 5, which is in use",
    );
    expect([domain.state.bundle?.sequence, changes]).toEqual([5n, 1]);
    await domain.close();
    answers = [of(4n, 60)];
    await begin(web);
    expect(domain.state.bundle?.sequence).toBe(5n);
    expect(problems).toHaveLength(2);
  });

  it("begins anew, below the known sequence too, where the mesh gives another bundle to begin with", async () => {
    answers = [of(5n, 60)];
    await begin({ ...web, ...inline(of(1n)) });
    expect(domain.state.bundle?.sequence).toBe(5n);
    await domain.close();
    answers = [new Error("away")];
    await begin({ ...web, ...inline(of(2n)) });
    expect(domain.state.bundle?.sequence).toBe(2n);
  });

  it("F-4: proves itself by the bundle to begin with first, and by the newest one from then on", async () => {
    const [first, second] = [of(1n, 60), of(2n, 60)];
    answers = [second, of(3n, 60)];
    const spiffeId = parseSpiffeId("spiffe://p.example/bundles");
    await begin({ trustDomain, endpoint: { profile: "https_spiffe", url, spiffeId }, ...inline(first) });
    await pass(60);
    const vouching = asked.map(({ target }) =>
      target.profile === "https_spiffe" ? target.bundle.sequence : undefined,
    );
    expect(vouching).toEqual([1n, 2n]);
    expect(asked[0]?.target).toMatchObject({ url, endpointId: spiffeId });
  });

  it("F-4: of another trust domain proves itself by that one's bundle, and is not asked without it", async () => {
    const spiffeId = parseSpiffeId("spiffe://broker.example/bundles");
    const endpoint = { profile: "https_spiffe", url, spiffeId } as const;
    await begin({ trustDomain, endpoint });
    expect([asked, domain.state.problem]).toEqual([[], "there is no bundle of `broker.example` to know the server by"]);
    await domain.close();
    const broker = createTestCa({ trustDomain: "broker.example" }).bundle();
    answers = [of(1n)];
    await begin({ trustDomain, endpoint }, { vouching: (of) => (of === broker.trustDomain ? broker : undefined) });
    expect(asked[0]?.target).toMatchObject({ bundle: broker });
  });

  it("is not needed: the bundle that the mesh gives may be all there is", async () => {
    await begin({ trustDomain, ...inline({ ...ca.bundle(), sequence: 7n }) });
    await pass(100_000);
    expect([asked, domain.state.bundle?.sequence, domain.state.fetchedAt]).toEqual([[], 7n, undefined]);
  });

  it("says that the bundle to begin with cannot be read", async () => {
    await begin({ trustDomain, bundle: { file: "/nowhere/bundle.json" } });
    expect(domain.state.problem).toContain("cannot be read: ENOENT");
  });
});

describe("the file with the bundle of a federated trust domain", () => {
  const folder = { path: "" };
  beforeEach(() => {
    folder.path = mkdtempSync(join(tmpdir(), "cellwall-federation-"));
  });
  afterEach(() => rmSync(folder.path, { recursive: true, force: true }));

  it("is taken anew when it is replaced, and takes nothing away while it cannot be read", async () => {
    const file = join(folder.path, "p.json");
    const [first, second] = [of(1n), of(2n)];
    writeFileSync(file, formatTrustBundle(first));
    await begin({ trustDomain, bundle: { file } });
    await pass(60);
    expect(changes).toBe(0);
    writeFileSync(file, formatTrustBundle(second).slice(0, 100));
    await pass(1);
    expect(domain.state).toMatchObject({
      document: formatTrustBundle(first),
      problem: expect.stringContaining("file"),
    });
    rmSync(file);
    await pass(1);
    expect(domain.state.document).toBe(formatTrustBundle(first));
    writeFileSync(file, formatTrustBundle(second));
    await pass(1);
    expect([changes, domain.state.document, domain.state.problem]).toEqual([1, formatTrustBundle(second), undefined]);
    expect((await store.current.load())[0]?.document).toBe(formatTrustBundle(second));
    rmSync(file);
    await pass(1);
    expect(domain.state.problem).toContain("ENOENT");
    writeFileSync(file, formatTrustBundle(second));
    await pass(1);
    expect([changes, domain.state.problem]).toEqual([1, undefined]);
  });

  it("is taken when it appears after the start, and at once where somebody asks for it", async () => {
    const file = join(folder.path, "p.json");
    await begin({ trustDomain, bundle: { file } });
    expect([domain.state.document, domain.state.problem]).toEqual([undefined, expect.stringContaining("ENOENT")]);
    const [first, second] = [of(1n), of(2n)];
    writeFileSync(file, formatTrustBundle(first));
    await pass(1);
    expect([changes, domain.state.document, domain.state.problem]).toEqual([1, formatTrustBundle(first), undefined]);
    writeFileSync(file, formatTrustBundle(second));
    await domain.refresh();
    expect([changes, domain.state.document]).toEqual([2, formatTrustBundle(second)]);
  });
});
