import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { AppAnswer } from "../app/messages.ts";
import { Conversation, type DemoApp } from "./demo-app.ts";

/** Where an app process listens, and whom it asks. */
export interface AppOptions {
  /** Which demo mesh it is of. */
  readonly mesh: string;
  readonly name: string;
  /** Unix sockets that the app listens on; their folders must exist. */
  readonly listen: readonly string[];
  /** Unix sockets where its sidecar takes calls, by the name of the peer. */
  readonly peers: ReadonlyMap<string, string>;
}

/** Starts one app process; resolves when it listens. */
export async function startApp(options: AppOptions): Promise<DemoApp> {
  const child = fork(appModule(), appArguments(options), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const conversation = new Conversation(options.name, (request) => child.send(request));
  child.once("exit", () => conversation.ended());
  await readiness(child, options.name, (answer) => conversation.answered(answer));
  return conversation.app(() => stopped(child));
}

/** The command line of an app: what follows the module's path. */
export function appArguments({ mesh, name, listen, peers }: AppOptions): readonly string[] {
  return [
    mesh,
    name,
    ...listen.flatMap((socket) => ["--listen", socket]),
    ...[...peers].flatMap(([peer, socket]) => ["--peer", `${peer}=${socket}`]),
  ];
}

function readiness(child: ChildProcess, name: string, onAnswer: (answer: AppAnswer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the ${name} app ended before it listened (exit code ${code})`)));
    child.once("error", reject);
    child.on("message", (answer: AppAnswer) => {
      if ("kind" in answer) resolve();
      else onAnswer(answer);
    });
  });
}

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill("SIGKILL"), 2_000);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** The compiled module; from a source tree, the one that the build put into `dist/`. */
function appModule(): string {
  const beside = fileURLToPath(new URL("../app/main.js", import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../../dist/compose/app/main.js", import.meta.url));
}
