import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loopbackAddresses } from "../../cli/local-mesh/index.ts";
import { locateEnvoy, type RunningEnvoy, renderSidecar, runEnvoy } from "../../envoy/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { type PolicySet, parseDocuments, resolve } from "../../policies/index.ts";
import { ledgerEntries } from "../../protocol/index.ts";
import { askForSvid } from "../support/agent-client.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type Answer, http1 } from "../support/clients.ts";
import { freePort } from "../support/free-ports.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { type CommandProcess, runCommand, startCommand } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** Authority and agent as processes of their own, two workloads on the agent's node and one that only another node may run. */
class Deployment {
  readonly folder = mkdtempSync(join(tmpdir(), "cw-"));
  readonly #sidecars: RunningEnvoy[] = [];
  #metricsPort = 0;
  url = "";
  authority: CommandProcess | undefined;
  agent: CommandProcess | undefined;
  app: TestApp | undefined;

  readonly runDir = join(this.folder, "run");
  readonly outbound = join(this.folder, "to-orders.sock");

  async start(): Promise<void> {
    const [orders = "127.0.0.1", web = "127.0.0.1"] = await loopbackAddresses(2);
    mkdirSync(join(this.folder, "policies"));
    writeFileSync(join(this.folder, "policies", "mesh.yaml"), meshYaml(this.folder, { orders, web }));
    await this.startAuthority();
    const joined = await this.cli("ca", "token", "host-1", "--state", "authority");
    const token = /cwj1\.\S+/.exec(joined.output)?.[0] ?? "";
    await this.startAgent({ CELLWALL_JOIN_TOKEN: token });
    this.app = await http1App(join(this.folder, "app.sock"));
    const set = this.#set();
    for (const name of ["orders", "web"]) await this.#startSidecar(set, name);
  }

  async startAuthority(): Promise<void> {
    const port = this.url === "" ? await freePort() : Number(new URL(this.url).port);
    this.url = `https://127.0.0.1:${port}`;
    const args = ["authority", "--listen", `127.0.0.1:${port}`, "--state", "authority", "--policies", "policies"];
    this.authority = startCommand(args, { cwd: this.folder });
    await until(
      () => this.cli("status", "--state", "authority"),
      ({ code }) => code === 0,
      { what: `the authority to answer\n${this.authority.output()}` },
    );
  }

  async startAgent(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#metricsPort = await freePort();
    const args = ["agent", "--authority", this.url, "--state", "agent", "--run-dir", this.runDir];
    this.agent = startCommand([...args, "--metrics", `127.0.0.1:${this.#metricsPort}`], { cwd: this.folder, env });
    await until(() => this.#ready(), Boolean, {
      what: `the agent to be ready\n${this.agent.output()}`,
      deadlineMs: 20_000,
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.agent?.output()}`);
    });
  }

  cli(...args: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand(args, { cwd: this.folder });
  }

  call(path = "/orders/1"): Promise<Answer> {
    return http1({ socket: this.outbound, path });
  }

  metrics(): Promise<string> {
    return fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`).then((answer) => answer.text());
  }

  /** Status of a denied call, and the reason in the record that the caller is told the id of. */
  async denial(path?: string): Promise<readonly [number, string | undefined]> {
    const { headers, status } = await this.call(path);
    const id = headers["x-cellwall-decision"];
    const record = await until(
      () => this.decisions().find((one) => one.id === id),
      (found) => found !== undefined,
      { what: `the record of decision ${id}` },
    );
    return [status, record.reason];
  }

  decisions(): readonly { readonly id?: string; readonly reason?: string }[] {
    const log = readFileSync(join(this.folder, "agent", "log", "decisions.jsonl"), "utf8");
    return log
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async stop(): Promise<void> {
    for (const sidecar of this.#sidecars) await sidecar.stop();
    await this.agent?.kill("SIGTERM");
    await this.authority?.kill("SIGTERM");
    await this.app?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.#metricsPort}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  #set(): PolicySet {
    const path = join(this.folder, "policies", "mesh.yaml");
    return resolve(parseDocuments([{ path, text: readFileSync(path, "utf8") }]).documents);
  }

  async #startSidecar(set: PolicySet, name: string): Promise<void> {
    const workload = set.workloads.find((one) => one.name === name);
    if (workload === undefined) throw new Error(`no workload ${name}`);
    const envoy = await locateEnvoy();
    const { authz, envoy: secrets } = socketPaths(this.runDir, workload);
    const adminSocket = join(this.folder, `${name}.admin.sock`);
    const bootstrap = renderSidecar({
      workload,
      set,
      envoyVersion: envoy.version,
      sockets: { authz, envoy: secrets },
      adminSocket,
    });
    const sidecar = await runEnvoy({ path: envoy.path, bootstrap, adminSocket });
    this.#sidecars.push(sidecar);
    await sidecar.ready();
  }
}

function meshYaml(folder: string, address: { readonly orders: string; readonly web: string }): string {
  const runsOn = { labels: { pool: "apps" } };
  return meshDocuments({
    folder,
    nodes: { "host-1": { labels: { pool: "apps" } }, "host-2": { labels: { pool: "vault" } } },
    workloads: {
      orders: { runsOn, address: address.orders, listens: [{ port: 8443 }] },
      web: { runsOn, address: address.web, calls: ["orders"] },
      vault: { runsOn: { labels: { pool: "vault" } } },
    },
    policies: { orders: { allow: { "web-reads": { from: "web", requests: ["GET /orders/{id:int}"] } } } },
  });
}

describe("processes that die", () => {
  const deployment = new Deployment();
  beforeAll(() => deployment.start());
  afterAll(() => deployment.stop());

  it("allows what a line allows while all of them live", async () => {
    expect((await deployment.call()).status).toBe(200);
    expect(await deployment.denial("/admin")).toEqual([403, "no-rule-matched"]);
  });

  it("issues an agent nothing that its node may not run, and writes the refusal into the ledger", async () => {
    const vault = "spiffe://test.example/shop/vault";
    await expect(askForSvid(join(deployment.folder, "agent", "agent"), deployment.url, vault)).rejects.toMatchObject({
      httpStatus: 403,
    });
    const { output } = await deployment.cli("ca", "ledger", "--state", "authority", "--output", "json");
    const lines = output.split("\n").filter((line) => line !== "");
    const { entries } = ledgerEntries.parse({ entries: lines.map((line): unknown => JSON.parse(line)) });
    expect(entries.filter(({ identity }) => identity === vault)).toMatchObject([
      { kind: "refusal", node: "host-1", reason: expect.stringContaining("host-1") },
    ]);
    expect(existsSync(socketPaths(deployment.runDir, { namespace: "shop", name: "vault" }).authz)).toBe(false);
  });

  it("goes on deciding when the authority is killed, and says that it is away", async () => {
    await deployment.authority?.kill("SIGKILL");
    await until(
      () => deployment.metrics(),
      (text) => /^cellwall_authority_reachable 0$/m.test(text),
    );
    expect((await deployment.call()).status).toBe(200);
    expect(await deployment.denial("/admin")).toEqual([403, "no-rule-matched"]);
  });

  it("answers 503 from the sidecar when the agent is killed, and the app receives nothing", async () => {
    const received = (): number | undefined => deployment.app?.requests.length;
    const before = received();
    expect(before).toBeGreaterThan(0);
    await deployment.agent?.kill("SIGKILL");
    expect((await deployment.call()).status).toBe(503);
    expect(received()).toBe(before);
  });

  it("decides again from its disk when it is started without the authority", async () => {
    await deployment.startAgent();
    const answer = await until(
      () => deployment.call(),
      ({ status }) => status !== 503,
      { deadlineMs: 20_000 },
    );
    expect(answer.status).toBe(200);
    expect(await deployment.denial("/admin")).toEqual([403, "no-rule-matched"]);
  });

  it("picks up a revocation that it missed when the authority is back", async () => {
    await deployment.startAuthority();
    const revoked = await deployment.cli(
      ...["ca", "revoke", "--identity", "spiffe://test.example/shop/web", "--reason", "test", "--state", "authority"],
    );
    expect(revoked.code).toBe(0);
    await until(
      () => deployment.call(),
      ({ status }) => status === 403,
      { deadlineMs: 40_000 },
    );
    expect(await deployment.denial()).toEqual([403, "revoked-identity"]);
  });
});
