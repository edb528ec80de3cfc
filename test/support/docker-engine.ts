import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.ts";

const run = promisify(execFile);
const BIG_OUTPUT = { maxBuffer: 64 * 1024 * 1024 };

/** A Docker engine to test on. */
export interface DockerEngine {
  /** Runs `docker …`; rejects where it fails, with its output. */
  docker(...args: readonly string[]): Promise<string>;
  /** Runs `docker compose …`, or the older `docker-compose …`; never rejects. */
  compose(
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<{ readonly code: number; readonly output: string }>;
  stop(): Promise<void>;
}

/** Whether a program of that name is on `PATH`. */
export const onPath = (name: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));

/** Why no Docker engine can be used here; undefined where one can. */
export function noDockerReason(): string | undefined {
  if (process.platform !== "linux") return "the test needs Linux";
  if (!onPath("docker")) return "there is no docker";
  if (!onPath("docker-compose") && !hasComposePlugin()) return "there is no docker compose";
  if (existsSync("/var/run/docker.sock")) return undefined;
  if (!onPath("dockerd")) return "no Docker engine runs, and there is no dockerd to start";
  if (process.getuid?.() !== 0) return "no Docker engine runs, and only root can start one";
  return undefined;
}

/** Whether `docker compose` is there. */
export function hasComposePlugin(): boolean {
  const folders = [
    "/usr/libexec/docker",
    "/usr/lib/docker",
    "/usr/local/lib/docker",
    join(process.env.HOME ?? "/", ".docker"),
  ];
  return folders.some((folder) => existsSync(join(folder, "cli-plugins", "docker-compose")));
}

/** The engine that runs here already; else one of the test's own, with images, networks and state in a temporary folder. */
export async function startDockerEngine(): Promise<DockerEngine> {
  if (await answers(process.env)) return engineOf(process.env, async () => {});
  const folder = mkdtempSync(join(tmpdir(), "cw-docker-"));
  const host = `unix://${join(folder, "docker.sock")}`;
  const env = { ...process.env, DOCKER_HOST: host };
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("data"));
  const daemon = spawn(
    "dockerd",
    [
      "--host",
      host,
      "--bridge=none",
      "--data-root",
      at("data"),
      "--exec-root",
      at("exec"),
      "--pidfile",
      at("pid"),
      "--log-level=warn",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  daemon.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-8_000);
  });
  const ended = new Promise<void>((resolve) => daemon.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    daemon.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(
      () => (daemon.exitCode === null ? answers(env) : Promise.reject(new Error(`dockerd ended:\n${log}`))),
      (there) => there,
      { deadlineMs: 60_000, what: "the Docker engine's start" },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return engineOf(env, stop);
}

async function answers(env: NodeJS.ProcessEnv): Promise<boolean> {
  return run("docker", ["version", "--format", "{{.Server.Version}}"], { env }).then(
    () => true,
    () => false,
  );
}

function engineOf(env: NodeJS.ProcessEnv, stop: () => Promise<void>): DockerEngine {
  const [command, first] = hasComposePlugin() ? ["docker", ["compose"]] : ["docker-compose", []];
  return {
    docker: async (...args) => (await run("docker", args, { env, ...BIG_OUTPUT })).stdout,
    compose: (args, options) =>
      new Promise((resolve) => {
        const child = spawn(command, [...first, ...args], {
          cwd: options.cwd,
          env: { ...env, ...options.env },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let output = "";
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding("utf8").on("data", (text: string) => {
            output += text;
          });
        child.once("error", (error) => resolve({ code: -1, output: String(error) }));
        child.once("close", (code) => resolve({ code: code ?? -1, output }));
      }),
    stop,
  };
}
