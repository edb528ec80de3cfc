import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Diagnostic, formatDiagnostics, formatPolicyText, printable } from "../../policies/index.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, lines, paint } from "../screen.ts";

/** Options of `cellwall fmt`. */
export interface FmtOptions {
  readonly check?: boolean;
  readonly write?: boolean;
}

/** Names the files that are in another form, or writes them; findings where one cannot be read, or `--check` finds one. */
export function formatPolicies(folders: readonly string[], options: FmtOptions, io: Io): ExitCode {
  if (options.check === true && options.write === true)
    throw new CliError("ERR_CLI_USAGE", "`--check` and `--write` exclude each other", {
      hint: "`--check` only looks, `--write` writes",
    });
  const files = readPolicyFolders(folders, io.cwd);
  const results = files.map((file) => ({ file, result: formatPolicyText(file) }));
  const left = results.flatMap(({ file, result }) => (result.ok ? [] : [{ file, diagnostics: result.diagnostics }]));
  const others = results.flatMap(({ file, result }) =>
    result.ok && result.changed ? [{ file, text: result.text }] : [],
  );
  for (const { file, text } of options.write === true ? others : []) write(file.path, text, io.cwd);
  const verb = options.write === true ? "formatted" : "would format";
  lines(io.stdout, ...others.map(({ file }) => `${paint(io.stdout, "yellow", verb)} ${printable(file.path, 1_024)}`));
  for (const { file, diagnostics } of left) tellLeft(file, diagnostics, io);
  lines(
    io.stdout,
    `${count(files.length, "file")}, ${others.length} ${verb === "formatted" ? "formatted" : "to format"}`,
  );
  return left.length > 0 || (options.check === true && others.length > 0) ? EXIT.findings : EXIT.ok;
}

function tellLeft(file: PolicyText, diagnostics: readonly Diagnostic[], io: Io): void {
  lines(io.stderr, `${paint(io.stderr, "yellow", "left as it is:")} ${printable(file.path, 1_024)}`);
  if (diagnostics.length > 0)
    lines(io.stderr, formatDiagnostics(diagnostics, { files: [file], color: io.stderr.color }).trimEnd());
}

function write(path: string, text: string, cwd: string): void {
  try {
    writeFileSync(resolve(cwd, path), text);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write \`${path}\`: ${systemReason(error) ?? "not writable"}`, {
      cause: error,
    });
  }
}
