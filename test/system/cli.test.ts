import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/run.ts";
import { type CapturedIo, capturedIo, until } from "../../cli/testing/captured-io.ts";
import { residentMegabytes } from "../support/resident-memory.ts";

const WEB = "spiffe://mesh.example/shop/web";
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A command that runs in this process until it is asked to stop. */
interface Running {
  readonly io: CapturedIo;
  stop(): Promise<number>;
}

describe("the cellwall command", () => {
  let folder: string;
  const running: Running[] = [];
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    await cellwall("init");
  });
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop();
    for (const child of children.splice(0)) await ended(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  async function cellwall(
    ...argv: string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const io = capturedIo(folder);
    const code = await run(argv, io);
    return { code, out: io.out(), err: io.err() };
  }

  /** Starts a command and waits until it says that it is there. */
  async function start(argv: readonly string[], sign: string): Promise<Running> {
    const io = capturedIo(folder);
    const done = run(argv, io);
    let code: number | undefined;
    void done.then((ended) => {
      code = ended;
    });
    const stop = (): Promise<number> => {
      io.stop();
      return done;
    };
    const command = { io, stop };
    running.push(command);
    await until(
      `\`${argv.join(" ")}\` says ${sign}`,
      () => {
        if (code !== undefined) throw new Error(`it ended with ${code}: ${io.err()}`);
        return io.out().includes(sign);
      },
      30_000,
    );
    return command;
  }

  const up = (...more: string[]): Promise<Running> => start(["up", "--port", "0", ...more], "is up");
  const status = async (): Promise<StatusJson> => JSON.parse((await cellwall("status", "--output", "json")).out);
  const edit = (change: (text: string) => string): void => {
    const file = join(folder, "policies/access.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")));
  };

  it("up serves, and status says what is in force, who applied it and what keeps workloads apart", async () => {
    const { io } = await up();
    expect(io.out()).toContain("mesh mesh.example is up");
    expect(io.out()).toContain("isolation  none");
    await until("the agent has reported", async () => (await status()).nodes[0]?.revision !== undefined);
    const answer = await cellwall("status");
    expect(answer).toMatchObject({ code: 0, err: "" });
    expect(answer.out).toMatch(/bundle +1\.1, 1 policy for 2 destinations, by cellwall up/);
    expect(answer.out).toMatch(/local +enrolled +at 1\.1/);
    expect(answer.out).toMatch(/shop\/web +enforce +no policy: all denied/);
    expect(answer.out).toMatch(/isolation +none: /);
    expect(await status()).toMatchObject({ isolation: "none", attention: [], bundle: { revision: 1 } });
  });

  it("an edit takes effect without a restart; a broken one keeps the last good revision and says where it is broken", async () => {
    const { io } = await up();
    edit((text) => text.replace("GET|HEAD", "GET"));
    await until("the edit is in force", async () => (await status()).bundle?.revision === 2);
    await until("the agent has it", async () => (await status()).nodes[0]?.revision === 2);
    edit((text) => text.replace("protects:", "protect:"));
    await until("the broken edit is refused", async () => (await status()).refused !== undefined);
    const refused = await cellwall("status");
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/bundle +1\.2/);
    expect(refused.out).toMatch(/policies\/access\.yaml:9:3: /);
    expect(refused.out).toContain("attention: the newest edit is refused");
    expect(io.err()).toContain("revision 1.2 stays in force");
    expect(io.err()).toMatch(/ 9 \| {3}protect:/);
    rmSync(join(folder, "policies"), { recursive: true });
    await until("the missing folder is said", () => io.err().includes("there is no policy folder"));
    expect((await status()).bundle?.revision).toBe(2);
    await cellwall("init");
    await until("the good set is in force again", async () => (await status()).refused === undefined);
  });

  it("starts on the last good set when the folder is broken, and not at all when there never was one", async () => {
    edit((text) => text.replace("protects:", "protect:"));
    const never = await cellwall("up", "--port", "0");
    expect([never.code, never.err]).toEqual([1, expect.stringContaining("policies/access.yaml:9:3")]);
    edit((text) => text.replace("protect:", "protects:"));
    await (await up()).stop();
    edit((text) => text.replace("protects:", "protect:"));
    const { io } = await up();
    expect(io.err()).toContain("revision 1.1 stays in force");
    expect((await status()).refused).toMatchObject({ first: { span: { line: 9 } } });
  });

  it("ca revoke reaches the agent, ca ledger shows what was issued, ca rotate replaces, ca token joins", async () => {
    await up();
    const revoked = await cellwall("ca", "revoke", "--identity", WEB, "--reason", "taken over");
    expect(revoked).toMatchObject({ code: 0, out: expect.stringContaining(`revoked: 1 certificate, ${WEB}`) });
    await until("the agent has it", async () => {
      const { nodes, revocations } = await status();
      return nodes[0]?.revocations === revocations.sequence;
    });
    const ledger = await cellwall("ca", "ledger", "--limit", "50");
    expect(ledger.out).toMatch(/x509-svid +spiffe:\/\/mesh\.example\/shop\/orders/);
    const rotated = await cellwall("ca", "rotate", "--root", "--reason", "drill");
    expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining("replaced: root") });
    expect((await cellwall("ca", "status")).out).toMatch(/root +retired/);
    const exported = await cellwall("ca", "ledger", "--all", "--output", "json");
    writeFileSync(join(folder, "ledger.jsonl"), exported.out);
    const whole = await cellwall("ca", "ledger", "verify", "--file", "ledger.jsonl");
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining("whole") });
    writeFileSync(join(folder, "ledger.jsonl"), exported.out.replace("shop/orders", "shop/others"));
    expect(await cellwall("ca", "ledger", "verify", "--file", "ledger.jsonl")).toMatchObject({ code: 1 });
    expect(await cellwall("ca", "ledger", "verify")).toMatchObject({ code: 0 });
    expect(await cellwall("ca", "revoke", "--serial", "ff", "--reason", "x")).toMatchObject({ code: 1 });
    const token = await cellwall("ca", "token", "local");
    expect(token.out).toMatch(/^cwj1\.[0-9a-f]{16}\.[\w-]{43}\.[0-9a-f]{64}\n$/);
    expect(await cellwall("ca", "token", "nowhere")).toMatchObject({
      code: 1,
      err: expect.stringContaining("nowhere"),
    });
  });

  it("an offline root signs the authority's intermediate: ca root, request, sign, init; ca recover finds nothing lost", async () => {
    writeFileSync(join(folder, "pass"), "correct horse battery staple\n");
    const domain = ["--trust-domain", "mesh.example"];
    const secret = ["--key-passphrase-file", "pass"];
    const root = ["--root-cert", "safe/root.pem"];
    expect(await cellwall("ca", "root", ...domain, "--out", "safe")).toMatchObject({ code: 2 });
    expect(await cellwall("ca", "root", ...domain, "--out", "safe", ...secret)).toMatchObject({
      code: 0,
    });
    const request = await cellwall("ca", "request", ...domain, "--state", "c", ...secret);
    writeFileSync(join(folder, "i.csr"), request.out);
    const signed = await cellwall("ca", "sign", "i.csr", ...domain, ...root, "--root-key", "safe/root.key", ...secret);
    expect(signed).toMatchObject({ code: 0, out: expect.stringContaining("BEGIN CERTIFICATE") });
    writeFileSync(join(folder, "i.pem"), signed.out);
    const init = ["ca", "init", ...domain, "--state", "c", ...root, "--intermediate", "i.pem", ...secret];
    expect(await cellwall(...init)).toMatchObject({ code: 0, out: expect.stringContaining("founded") });
    expect(await cellwall(...init)).toMatchObject({ err: expect.stringContaining("founded already") });
    const recover = await cellwall("ca", "recover", "--state", "c", ...secret);
    expect(recover).toMatchObject({ code: 0, out: expect.stringContaining("nothing is lost") });
  });

  it("authority and agent run apart: publish, join by token, lag and catch up", async () => {
    const node =
      "---\napiVersion: cellwall.dev/v1\nkind: Node\nmetadata: { name: host-1, labels: { pool: apps } }\nspec: { attest: [{ joinToken: {} }] }\n";
    const file = join(folder, "policies/workloads.yaml");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replaceAll("spec:\n", "spec:\n  runsOn: { labels: { pool: apps } }\n") + node,
    );
    const listen = ["authority", "--state", "a", "--listen", "127.0.0.1:0"];
    expect(await cellwall(...listen)).toMatchObject({
      code: 2,
      err: expect.stringContaining("needs to know the trust domain"),
    });
    const { io } = await start([...listen, "--trust-domain", "mesh.example"], "authority of mesh.example");
    const [, url = ""] = /address +(https:\S+),/.exec(io.out()) ?? [];
    expect((await cellwall("status", "--state", "a")).out).toContain("nothing was published yet");
    expect(await cellwall("publish", "--state", "a", "--dry-run")).toMatchObject({
      code: 0,
      out: expect.stringContaining(`+ ${WEB}`),
    });
    expect((await cellwall("publish", "--state", "a")).out).toContain("published revision 1.1, with 1 policy");
    expect((await cellwall("publish", "--state", "a")).out).toContain("unchanged: revision 1.1");
    const token = await cellwall("ca", "token", "host-1", "--state", "a");
    writeFileSync(join(folder, "token"), token.out, { mode: 0o600 });
    const join1 = ["agent", "--authority", url, "--state", "b", "--metrics", "127.0.0.1:0"];
    const agent = await start([...join1, "--join-token-file", "token"], "agent of");
    const nodes = async () => JSON.parse((await cellwall("status", "--state", "a", "--output", "json")).out).nodes;
    await until("the agent is at 1.1", async () => (await nodes())[0]?.revision === 1);
    await agent.stop();
    const again = await start(join1, "agent of");
    await again.stop();
    expect(await cellwall(...join1.with(2, "http://127.0.0.1:1"))).toMatchObject({ code: 2 });
  });

  it("keeps a second authority off a state folder, and the trust domain for life", async () => {
    await up();
    const second = await cellwall("up", "--port", "0");
    expect([second.code, second.err]).toEqual([
      3,
      expect.stringContaining("another authority runs on the state folder"),
    ]);
    await running.pop()?.stop();
    const other = await cellwall("authority", "--listen", "127.0.0.1:0", "--trust-domain", "other.example");
    expect([other.code, other.err]).toEqual([3, expect.stringContaining("belongs to the mesh `mesh.example`")]);
  });

  it("admin.json is for its owner only, new at each start, and gone at the end", async () => {
    const first = await up();
    const file = join(folder, ".cellwall/authority/admin.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(join(folder, "token"), before.token);
    writeFileSync(join(folder, "root.pem"), before.rootPem);
    const apart = [
      "--state",
      "elsewhere",
      "--authority",
      before.url,
      "--token-file",
      "token",
      "--root-file",
      "root.pem",
    ];
    expect((await cellwall("status", ...apart)).out).toContain("mesh mesh.example");
    expect(await cellwall("status", ...apart.slice(0, 4))).toMatchObject({ code: 2 });
    await first.stop();
    expect(existsSync(file)).toBe(false);
    await up();
    expect(JSON.parse(readFileSync(file, "utf8")).token).not.toBe(before.token);
  });

  it("as a process: small with ten workloads, ends on Ctrl-C with 0, and leaves nothing", async () => {
    writeFileSync(join(folder, "policies/more.yaml"), eightWorkloads());
    const child = spawn(process.execPath, [MAIN, "up", "--port", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await until("it serves its workloads", () => out.includes("serves 10 workloads"), 30_000);
    const pid = child.pid ?? 0;
    if (process.platform === "linux") {
      await until("the agent has applied the bundle", async () => (await status()).nodes[0]?.revision === 1, 30_000);
      expect(residentMegabytes(pid)).toBeLessThan(150);
    }
    const { url } = JSON.parse(readFileSync(join(folder, ".cellwall/authority/admin.json"), "utf8"));
    expect(await ended(child, "SIGINT")).toBe(0);
    expect(await answers(Number(new URL(url).port))).toBe(false);
    expect(
      readdirSync(join(folder, ".cellwall/run"), { recursive: true }).filter((name) => String(name).endsWith(".sock")),
    ).toEqual([]);
    expect(existsSync(join(folder, ".cellwall/authority/lock"))).toBe(false);
  });

  it("as a process: a reader that has seen enough is no failure", async () => {
    const child = spawn("/bin/sh", ["-c", `"${process.execPath}" "${MAIN}" --help | head -1`], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    let err = "";
    child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    expect([await ended(child), err]).toEqual([0, ""]);
  });
});

interface StatusJson {
  readonly bundle?: { readonly revision: number };
  readonly refused?: unknown;
  readonly nodes: readonly { readonly revision?: number; readonly revocations?: number }[];
  readonly revocations: { readonly sequence: number };
}

function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (signal !== undefined) child.kill(signal);
  return exit;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function eightWorkloads(): string {
  const documents = Array.from({ length: 8 }, (_, at) => [
    "apiVersion: cellwall.dev/v1",
    "kind: Workload",
    `metadata: { name: app-${at}, namespace: shop, labels: { app: app-${at} } }`,
    "spec:",
    "  sidecar:",
    "    address: 127.0.0.1",
    "    listens:",
    `      - { port: ${19_000 + at}, app: "unix:/tmp/app-${at}.sock", protocol: http }`,
  ]);
  return documents.map((lines) => `${lines.join("\n")}\n`).join("---\n");
}
