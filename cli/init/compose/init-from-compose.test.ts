import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { run } from "../../run.ts";
import { capturedIo } from "../../testing/captured-io.ts";
import { useTempFolder } from "../../testing/temp-folder.ts";
import { planCompose } from "./plan.ts";
import { readComposeProject } from "./project.ts";

const fixture = (name: string): string => readFileSync(new URL(`testing/${name}.yaml`, import.meta.url), "utf8");
const planOf = (text: string) => planCompose(readComposeProject("compose.yaml", text));
/** `caller -> callee:mesh port at local port`. */
const callsOf = (text: string): readonly string[] =>
  planOf(text).workloads.flatMap(({ name, calls }) =>
    calls.map(({ callee, meshPort, localPort }) => `${name} -> ${callee}:${meshPort} at ${localPort}`),
  );
const notesOf = (text: string): string =>
  planOf(text)
    .notes.map((note) => note.text)
    .join("\n");

describe("cellwall init --from", () => {
  const folder = useTempFolder();
  async function init(text: string, ...more: readonly string[]) {
    const io = capturedIo(folder());
    writeFileSync(join(folder(), "compose.yaml"), text);
    const code = await run(["init", "--from", "compose.yaml", "--trust-domain", "acme.example", ...more], io);
    return { code, io, after: readFileSync(join(folder(), "compose.yaml"), "utf8") };
  }

  it.each(["plain", "anchors", "profiles"])(
    "changes in %s.yaml what a peer is reached by, and adds; the rest stays",
    async (name) => {
      const before = fixture(name);
      const { code, after, io } = await init(before, "--write");
      expect([code, io.err()]).toEqual([0, expect.stringContaining("written; everything starts in monitor")]);
      const kept = after.split("\n");
      const gone = before.split("\n").filter((line) => !kept.includes(line));
      expect(gone.filter((line) => !/:\/\/|kafka:9092|mailer:7000|DB_HOST/.test(line))).toEqual([]);
      expect(before.match(/#.*/g)?.filter((comment) => !after.includes(comment)) ?? []).toEqual([]);
      const [old, made] = [before, after].map((text) => parse(text, { merge: true, maxAliasCount: -1 }));
      expect(Object.keys(made.services)).toEqual(expect.arrayContaining(Object.keys(old.services)));
      expect(Object.keys(made.volumes)).toEqual(expect.arrayContaining(Object.keys(old.volumes ?? {})));
      const check = capturedIo(folder());
      expect([await run(["check"], check), check.err()], check.out()).toEqual([0, ""]);
    },
  );

  it("gives every sidecar its app's network, its own sockets and a user of its own, and no other's", async () => {
    const { services } = parse((await init(fixture("plain"), "--write")).after, { merge: true });
    const sidecars = ["web", "orders", "db", "cache"].map((name) => [name, services[`${name}-sidecar`]]);
    expect(new Set(sidecars.map(([, { user }]) => user)).size).toBe(4);
    for (const [name, sidecar] of sidecars) {
      expect(sidecar.network_mode).toBe(`service:${name}`);
      expect(sidecar.volumes.filter((volume: string) => /-cellwall:/.test(volume))).toHaveLength(1);
      expect(sidecar.volumes.join()).toContain(`${name}-cellwall:`);
    }
  });

  it("writes nothing by itself, and tells the diff", async () => {
    const { code, io, after } = await init(fixture("plain"));
    expect([code, after]).toEqual([0, fixture("plain")]);
    expect(io.out()).toContain("-      ORDERS_URL: http://orders:3000/api\n");
    expect(io.out()).toContain("+      ORDERS_URL: http://127.0.0.1:13000/api\n");
    expect(io.out()).toContain("+++ b/policies/access.yaml");
    expect(io.err()).toContain("nothing was written");
  });

  it.each(["plain", "anchors", "profiles"])(
    "names the lines of %s.yaml as it is on disk, before and after",
    async (name) => {
      for (const more of [[], ["--write"]]) {
        const { io, after } = await init(fixture(name), ...more);
        const notes = [...io.err().matchAll(/^ {2}compose\.yaml:(\d+): ([a-z]+)/gm)];
        expect(notes.length).toBeGreaterThan(0);
        for (const [, line, service] of notes) expect(after.split("\n")[Number(line) - 1]).toMatch(`  ${service}:`);
      }
    },
  );

  it("prints what docs/compose.md shows", async () => {
    const page = readFileSync(new URL("../../../docs/compose.md", import.meta.url), "utf8");
    const block = (beginning: string): string => {
      const found = [...page.matchAll(/```\w*\n([\s\S]*?)```/g)].find(([, text]) => text?.startsWith(beginning));
      return found?.[1] ?? `no block that begins with ${beginning}`;
    };
    expect(block("# Acme's shop")).toBe(fixture("plain"));
    const { io } = await init(fixture("plain"));
    expect(io.out()).toContain(block("--- a/compose.yaml"));
    expect(io.err()).toContain(block("4 workloads"));
  });

  it("refuses a file that has sidecars, one that is none, and to overwrite policies", async () => {
    const { after } = await init(fixture("plain"), "--write");
    expect((await init(after)).io.err()).toContain("has a service `cellwall` already");
    expect((await init(fixture("plain"), "--write")).io.err()).toContain("are there already");
    expect(
      (await init("services:\n  cellwall: { image: a }\n  a: { command: http://b:1 }\n  b: {}\n")).io.err(),
    ).toContain("already");
    expect((await init("a: 1\n")).io.err()).toContain("no `services`");
    expect((await init("services: {a\n")).io.err()).toMatch(/compose\.yaml:\d+:\d+: /);
    expect((await init("services:\n  a: { image: b }\n")).io.err()).toContain("nothing in `compose.yaml` says");
  });

  it("tells everything that stands against sidecars where no call can have them", async () => {
    const { code, io } = await init(
      "services:\n  a: { command: http://b:1 }\n  b: { network_mode: host }\n  c: { scale: 2, environment: { B_HOST: b } }\n",
    );
    expect([code, io.out()]).toEqual([3, ""]);
    for (const text of [
      "3: b: no sidecar: `network_mode: host`",
      "4: c: no sidecar: 2 replicas",
      "2: a -> b (command): left",
    ])
      expect(io.err()).toContain(`  compose.yaml:${text}`);
    expect(io.err()).toContain(
      "error: of no call in `compose.yaml` both ends can have a sidecar\n hint: calls are found in",
    );
  });
});

describe("planCompose", () => {
  it("finds calls in URLs, addresses, host names with ports beside them, and commands", () => {
    expect(callsOf(fixture("plain"))).toEqual([
      "web -> orders:13000 at 13000",
      "web -> cache:16379 at 6379",
      "orders -> db:15432 at 5432",
    ]);
    expect(callsOf(fixture("anchors"))).toEqual([
      "api -> mysql:13306 at 13306",
      "api -> kafka:19092 at 9092",
      "api -> mailer:17000 at 7000",
      "api -> search:19200 at 9200",
    ]);
    expect(callsOf(fixture("profiles"))).toEqual([
      "api -> rabbit:15672 at 5672",
      "api -> db:15432 at 5432",
      "beat -> api:18000 at 8000",
    ]);
  });

  it("takes a database's or user's name for no host", () => {
    const text =
      "services:\n  a: { environment: { POSTGRES_DB: b, GREETING: hello b, NOTB: http://notb:80, X: xb:80 } }\n  b: {}\n";
    expect(callsOf(text)).toEqual([]);
  });

  it("carries bytes where nothing says what is spoken, and greets as the server does", () => {
    const listens = new Map(planOf(fixture("anchors")).workloads.map(({ name, listens }) => [name, listens[0]]));
    expect(listens.get("mailer")).toMatchObject({ protocol: "tcp" });
    expect(listens.get("search")).toMatchObject({ protocol: "http" });
    expect(listens.get("mysql")).toMatchObject({ protocol: "tcp", speaksFirst: "server" });
  });

  it("says what it leaves alone, what is to be done by hand, and what stands against enforcing", () => {
    const anchors = notesOf(fixture("anchors"));
    expect(anchors).toContain("exporter: no sidecar: `network_mode: host`");
    expect(anchors).toContain("gateway depends on api, and nothing says how it calls it");
    expect(anchors).toContain("change MYSQL_HOST by hand: mysql is at 127.0.0.1:13306 for it");
    expect(anchors).toContain("kafka: its `advertised.listeners`");
    const profiles = notesOf(fixture("profiles"));
    expect(profiles).toContain("worker: no sidecar: 3 replicas");
    expect(profiles).toContain("change BROKER_URL by hand: rabbit is at 127.0.0.1:5672 for it");
    expect(profiles).toContain("web: no sidecar: it shares the network of `api`");
    expect(notesOf(fixture("plain"))).toContain(
      "db: let it listen on 127.0.0.1 alone, `command: postgres -c listen_addresses=127.0.0.1`",
    );
  });
});
