import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A `cellwall` command as a process of its own, from the build. */
export interface CommandProcess {
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves with the exit code when it has ended. */
  readonly exited: Promise<number | null>;
  /** Ends it with a signal, by its own process id, and waits for that. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `cellwall …`. `node` is another Node.js binary than the one that runs the test. */
export function startCommand(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly node?: string },
): CommandProcess {
  const child = spawn(options.node ?? process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { pid: child.pid ?? 0, output: () => output, exited, kill: (signal) => kill(child, exited, signal) };
}

/** Runs `cellwall …` to its end. */
export async function runCommand(
  args: readonly string[],
  options: Parameters<typeof startCommand>[1],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const command = startCommand(args, options);
  return { code: await command.exited, output: command.output() };
}

async function kill(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await exited;
}

/** Path of a file in the repository. */
export function repositoryPath(...parts: readonly string[]): string {
  return join(fileURLToPath(new URL("../..", import.meta.url)), ...parts);
}
