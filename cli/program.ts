import { Command, Help } from "commander";
import type { ExitCode } from "./cli-error.ts";
import type { CommandContext, Register } from "./command.ts";
import { registerAgent } from "./commands/agent.ts";
import { registerAuthority } from "./commands/authority.ts";
import { registerCa } from "./commands/ca.ts";
import { registerCheck } from "./commands/check.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerDiff } from "./commands/diff.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEnvoy } from "./commands/envoy.ts";
import { registerExplain } from "./commands/explain.ts";
import { registerExport } from "./commands/export.ts";
import { registerFederation } from "./commands/federation.ts";
import { registerFmt } from "./commands/fmt.ts";
import { registerImport } from "./commands/import.ts";
import { registerInit } from "./commands/init.ts";
import { registerPublish } from "./commands/publish.ts";
import { registerSimulate } from "./commands/simulate.ts";
import { registerStatus } from "./commands/status.ts";
import { registerSvid } from "./commands/svid.ts";
import { registerTest } from "./commands/test.ts";
import { registerUp } from "./commands/up.ts";
import { registerVersion } from "./commands/version.ts";
import type { Io } from "./io.ts";
import { packageVersion } from "./package-version.ts";

/**
 * Definitions only: each command imports what it works with when it runs, so that `cellwall check` loads no database and an agent no web
 * server.
 */
const COMMANDS: readonly Register[] = [
  registerDemo,
  registerInit,
  registerCheck,
  registerTest,
  registerFmt,
  registerExplain,
  registerDiff,
  registerSimulate,
  registerImport,
  registerExport,
  registerUp,
  registerStatus,
  registerPublish,
  registerAuthority,
  registerAgent,
  registerCa,
  registerFederation,
  registerSvid,
  registerEnvoy,
  registerDoctor,
  registerCompletion,
  registerVersion,
];

/** Describes an option as commander does by itself. */
const PLAIN_HELP = new Help();
/** What it says of an option that may be repeated and was not given. */
const NONE = / \(default: \[\]\)/;

/** The command line's definition over an `Io`; `ended` is told a command's exit code. */
export function createProgram(io: Io, ended: (code: ExitCode) => void): Command {
  const program = new Command("cellwall");
  program
    .description("Layer-7 micro-segmentation for Envoy sidecars.")
    .version(packageVersion(), "-V, --version", "say which version this is")
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError("(--help says more)")
    .helpCommand("help [command]", "help for a command")
    .configureHelp({ optionDescription: (option) => PLAIN_HELP.optionDescription(option).replace(NONE, "") })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
      getOutHasColors: () => io.stdout.color,
      getErrHasColors: () => io.stderr.color,
    })
    .addHelpText("after", FIRST_STEPS);
  const context: CommandContext = {
    io,
    action:
      (run) =>
      async (...args) =>
        ended(await run(...args)),
  };
  for (const register of COMMANDS) register(program, context);
  return program;
}

const FIRST_STEPS = `
First steps:
  $ cellwall init            write a small policy set into policies/
  $ cellwall check           look for mistakes in it
  $ cellwall explain --from web --to orders "GET /orders/42"
  $ cellwall up              run the authority and an agent here

Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 something outside is missing.`;
