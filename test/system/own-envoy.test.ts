import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { locateEnvoy } from "../../envoy/binary/index.ts";
import { atDepth } from "../support/depth.ts";
import { freePorts } from "../support/free-ports.ts";
import { type CommandProcess, repositoryPath, runCommand, startCommand } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { ask, converse } from "./clients.ts";

// The way that docs/your-own-envoy.md shows, with the files and commands of the page: a plain Envoy and a web server that this
// project did not write, watched and then enforced.

const page = readFileSync(repositoryPath("docs", "your-own-envoy.md"), "utf8");
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(/```(\w*)\n([\s\S]*?)```/g)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text ?? "");
const [envoyYaml = "", policiesYaml = ""] = blocks("yaml");
const commands = blocks("sh").flatMap((text) => text.trim().split("\n"));

/** A web server of the system: how it is started for a folder and a port. */
interface WebServer {
  readonly command: string;
  args(folder: string, port: number): readonly string[];
}

const ALL_SERVERS: readonly WebServer[] = [
  {
    command: "python3",
    args: (folder, port) => [
      "-m",
      "http.server",
      String(port),
      "--bind",
      "127.0.0.1",
      "--directory",
      join(folder, "www"),
    ],
  },
  {
    command: "lighttpd",
    args: (folder, port) => {
      const file = join(folder, "lighttpd.conf");
      writeFileSync(
        file,
        `server.document-root = "${join(folder, "www")}"\nserver.port = ${port}\nserver.bind = "127.0.0.1"\n`,
      );
      return ["-D", "-f", file];
    },
  },
];

const SERVERS = atDepth({ quick: ALL_SERVERS.slice(0, 1), full: ALL_SERVERS });

const pathOf = (command: string): string | undefined =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]
    .map((folder) => join(folder, command))
    .find((path) => existsSync(path));

let folder = "";
let envoyPath = "";
/** What the last command printed. */
let said = "";
let ports: { envoy: number; app: number };
const children: ChildProcess[] = [];
const processes: CommandProcess[] = [];

beforeAll(async () => {
  envoyPath = (await locateEnvoy()).path;
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  const [envoy = 0, app = 0] = await freePorts(2);
  ports = { envoy, app };
  mkdirSync(join(folder, "www", "docs"), { recursive: true });
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "www", "docs", "a.txt"), "hello\n");
  writeFileSync(join(folder, "www", "secret.txt"), "secret\n");
  writeFileSync(join(folder, "envoy.yaml"), here(envoyYaml));
  writeFileSync(join(folder, "policies", "home.yaml"), policiesYaml);
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill("SIGTERM")));
  await Promise.all(children.splice(0).map(stop));
  rmSync(folder, { recursive: true, force: true });
});

/** The page's ports and paths as this test's own. */
function here(text: string): string {
  return text
    .replaceAll("8080", String(ports.envoy))
    .replaceAll("8000", String(ports.app))
    .replaceAll("/tmp/envoy-admin.sock", join(folder, "a.sock"));
}

function start(path: string, args: readonly string[]): void {
  children.push(spawn(path, args, { cwd: folder, stdio: "ignore" }));
}

function stop(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  return ended;
}

/** Runs one of the page's commands; what it answers with is its exit code or the statuses of its URLs. */
async function follow(command: string): Promise<readonly (number | null)[]> {
  const [name = "", ...args] = here(command).replace(/ &$/, "").split(" ");
  const background = command.endsWith(" &");
  switch (name) {
    case "cellwall":
      if (!background) {
        const { code, output } = await runCommand(args, { cwd: folder });
        said = output;
        return [code];
      }
      processes.push(startCommand(args, { cwd: folder }));
      return [];
    case "envoy":
      start(envoyPath, args);
      return [];
    case "curl":
      return Promise.all(args.map((url) => statusOf(new URL(url).pathname)));
    case "sed":
      execFileSync(
        "sed",
        here(command)
          .replace(/^sed /, "")
          .replaceAll("'", "")
          .split(/ (?=s\/|policies)/),
        { cwd: folder },
      );
      return [];
    default:
      throw new Error(`the page has a command that this test cannot run: ${command}`);
  }
}

const statusOf = async (path: string): Promise<number> =>
  (await ask({ port: ports.envoy, path }).catch(() => ({ status: 0 }))).status;

describe("a hand-written Envoy and a web server of the system", () => {
  it("take at most six commands and fifteen lines of policy", () => {
    expect(commands.length).toBeLessThanOrEqual(6);
    expect(policiesYaml.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  });

  for (const server of SERVERS) {
    const path = pathOf(server.command);
    it.skipIf(path === undefined)(
      `are watched and then enforced, with ${server.command} (needs it installed)`,
      async () => {
        const [patch = "", up = "", envoy = "", watched = "", enforce = "", denied = ""] = commands;
        start(path ?? "", server.args(folder, ports.app));
        expect(await follow(patch)).toEqual([0]);
        expect(said).toContain(/written: .* mended/.exec(page)?.[0] ?? "no such line on the page");
        await follow(up);
        await until(
          () => processes[0]?.output() ?? "",
          (text) => /is up[\s\S]* cellwall envoy patch envoy.yaml --workload home\/files\n/.test(text),
          { deadlineMs: 30_000, what: "cellwall up" },
        );
        await follow(envoy);
        await until(
          () => statusOf("/docs/a.txt"),
          (status) => status === 200,
          { deadlineMs: 15_000, what: "a first answer" },
        );
        expect(await follow(watched)).toEqual([200, 200]);
        await until(
          () => processes[0]?.output() ?? "",
          (text) => text.includes("would deny anonymous -> home/files GET /secret.txt · no-rule-matched"),
        );
        if (server.command === "python3") await asTheDoctorSays();
        await follow(enforce);
        await until(
          () => follow(denied),
          ([status]) => status === 403,
          { what: "the denial" },
        );
        expect(await follow(watched)).toEqual([200, 403]);
      },
    );
  }
});

/** What the doctor says of a sidecar's own refusals is what this Envoy does. */
async function asTheDoctorSays(): Promise<void> {
  const { output } = await runCommand(["doctor", "--config", "envoy.yaml", "--output", "json"], {
    cwd: folder,
    env: { CELLWALL_ENVOY: envoyPath },
  });
  const { ok, behaviours }: { ok: boolean; behaviours: { refuses: { what: string; status: number }[] }[] } =
    JSON.parse(output);
  expect(ok, output).toBe(true);
  const claims = (behaviours[0]?.refuses ?? []).filter(({ status }) => status !== 408);
  expect(claims.length).toBe(REFUSED.length);
  for (const { what, status } of claims) {
    const request = REFUSED.find(([words]) => what.includes(words))?.[1] ?? "";
    const { text } = await converse(connect(ports.envoy, "127.0.0.1"), request, "\r\n\r\n");
    expect(`${what}: ${text.split(" ")[1]}`).toBe(`${what}: ${status}`);
  }
}

const request = (line: string, ...headers: readonly string[]): string =>
  [`${line}`, "host: a", "connection: close", ...headers, "", ""].join("\r\n");

/** A request for each thing that a sidecar refuses by itself, by a word of what the doctor calls it. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["`%2F`", request("GET /docs%2fa.txt HTTP/1.1")],
  ["`%00`", request("GET /docs/%00 HTTP/1.1")],
  ["fragment", request("GET /docs/a.txt#x HTTP/1.1")],
  ["underscore", request("GET /docs/a.txt HTTP/1.1", "x_role: admin")],
  ["not one of the usual", request("FOO /docs/a.txt HTTP/1.1")],
  [
    "`transfer-encoding`",
    `${request("POST /docs/a.txt HTTP/1.1", "content-length: 5", "transfer-encoding: chunked")}0\r\n\r\n`,
  ],
  ["HTTP/1.0", request("GET /docs/a.txt HTTP/1.0")],
  ["WebSocket", "GET /docs/a.txt HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"],
  [
    "more than 100 headers",
    request("GET /docs/a.txt HTTP/1.1", ...Array.from({ length: 101 }, (_, index) => `x-${index}: 1`)),
  ],
];
