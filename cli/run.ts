import { CommanderError } from "commander";
import { CliError, EXIT, type ExitCode } from "./cli-error.ts";
import type { Io } from "./io.ts";
import { requireNode } from "./node-version.ts";
import { createProgram } from "./program.ts";
import { lines, paint } from "./screen.ts";

/**
 * Runs one command line (without `node` and the script) and resolves to the process' exit code. Never rejects: what goes wrong is written
 * to `stderr` with what to do about it.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: ExitCode = EXIT.ok;
  try {
    requireNode(process.versions.node);
    const program = createProgram(io, (ended) => {
      code = ended;
    });
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: Io): number {
  // Commander has written its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  lines(io.stderr, `${paint(io.stderr, "red", "error:")} ${message}`);
  const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
  if (typeof hint === "string") lines(io.stderr, `${paint(io.stderr, "dim", " hint:")} ${hint}`);
  if (!isKnown(error) || (io.env.CELLWALL_DEBUG ?? "") !== "") lines(io.stderr, stackOf(error));
  return error instanceof CliError ? error.exitCode : EXIT.environment;
}

const OWN_CODE = /^ERR_(?:AGENT|AUTHORITY|CA|CLI|ENVOY|POLICY|PROTOCOL|SPIFFE|STORE)_/;

/** Errors of our own folders carry a stable code; anything else is a fault of the program, whose stack helps to mend it. */
function isKnown(error: unknown): boolean {
  return error instanceof Error && "code" in error && OWN_CODE.test(String(error.code));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
