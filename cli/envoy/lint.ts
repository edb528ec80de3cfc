import { type ConfigSource, type EnvoyFinding, LINT_RULES, lintConfig } from "../../envoy/lint/index.ts";
import {
  countFindings,
  type Finding,
  findingsJson,
  formatFindings,
  type Suppressed,
  suppress,
  toSarif,
} from "../../policies/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { packageVersion } from "../package-version.ts";
import { count, json, lines, paint } from "../screen.ts";
import { readConfig } from "./read-config.ts";
import { versionOption } from "./version-option.ts";

/** Options of `cellwall envoy lint`. */
export interface EnvoyLintOptions {
  readonly envoyVersion?: string;
  readonly failOn: "error" | "warning";
  readonly output: "text" | "json" | "sarif";
}

/** Prints the holes of an Envoy configuration; findings where something is at least as grave as `--fail-on`. */
export async function lintEnvoy(config: string, options: EnvoyLintOptions, io: Io): Promise<ExitCode> {
  const source = await readConfig(config, io);
  const { envoyVersion, output, failOn } = options;
  const version = envoyVersion === undefined ? {} : { envoyVersion: versionOption(envoyVersion) };
  const result = silenced(source, lintConfig(source, version));
  print(source, result, output, io);
  const { errors, warnings } = countFindings(result.findings);
  return errors > 0 || (failOn === "warning" && warnings > 0) ? EXIT.findings : EXIT.ok;
}

/** JSON has no comments that could silence anything. */
function silenced(source: ConfigSource, findings: readonly EnvoyFinding[]): Suppressed {
  if (source.form === "json") return { findings, suppressed: [] };
  return suppress(findings, { files: [{ path: source.file, text: source.text }] });
}

function print(
  source: ConfigSource,
  { findings, suppressed }: Suppressed,
  output: EnvoyLintOptions["output"],
  io: Io,
): void {
  switch (output) {
    case "text":
      printText(source, { findings, suppressed }, io);
      return;
    case "json":
      json(io.stdout, { file: source.file, ...findingsJson(findings, suppressed) });
      return;
    case "sarif":
      json(io.stdout, toSarif(findings, { version: packageVersion(), suppressed, rules: RULES }));
      return;
    default:
      output satisfies never;
  }
}

const RULES = new Map(
  Object.entries(LINT_RULES).map(([id, { title, why, remedy }]) => [id, { summary: title, help: `${why}; ${remedy}` }]),
);

function printText(source: ConfigSource, { findings, suppressed }: Suppressed, io: Io): void {
  const files = [{ path: source.file, text: source.form === "json" ? "" : source.text }];
  if (findings.length > 0) lines(io.stdout, formatFindings(findings, { files, color: io.stdout.color }).trimEnd(), "");
  const fixable = findings.filter(isFixable).length;
  lines(
    io.stdout,
    `${verdict(findings, io)}${suppressed.length === 0 ? "" : `, ${suppressed.length} suppressed`}: ${source.file}`,
  );
  if (fixable > 0)
    lines(
      io.stdout,
      `${count(fixable, "finding")} can be mended: cellwall envoy patch ${source.file} --workload <name>`,
    );
}

function isFixable(finding: Finding): boolean {
  return "fixable" in finding && finding.fixable === true;
}

/** `ok`, `2 errors, 1 warning`. */
export function verdict(findings: readonly Finding[], io: Io): string {
  const { errors, warnings, notes } = countFindings(findings);
  const parts = [
    ...(errors === 0 ? [] : [paint(io.stdout, "red", count(errors, "error"))]),
    ...(warnings === 0 ? [] : [paint(io.stdout, "yellow", count(warnings, "warning"))]),
    ...(notes === 0 ? [] : [count(notes, "note")]),
  ];
  return errors + warnings === 0 ? [paint(io.stdout, "green", "ok"), ...parts].join(", ") : parts.join(", ");
}
