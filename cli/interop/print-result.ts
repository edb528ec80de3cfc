import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { witnessText } from "../../policies/index.ts";
import type { ImportReport, ReportEntry } from "../../policies/interop/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { json, lines, paint } from "../screen.ts";

/** What an import or export is printed as. */
export interface PrintOptions {
  readonly output: "text" | "json";
  readonly report?: string;
}

/**
 * Writes the text to standard output and what is not exact to standard error, so that the former can go into a file; as
 * JSON, both to standard output. With `--report`, the report goes to a file as well.
 */
export function printResult(
  key: "documents" | "text",
  text: string,
  report: ImportReport,
  options: PrintOptions,
  io: Io,
): void {
  if (options.report !== undefined) writeReport(options.report, report, io);
  if (options.output === "json") {
    json(io.stdout, { [key]: text, report });
    return;
  }
  io.stdout.write(text);
  const open = report.entries.filter(({ fidelity }) => fidelity !== "exact");
  lines(io.stderr, ...open.flatMap((entry) => entryLines(entry, io)), summaryLine(report));
}

function entryLines(entry: ReportEntry, { stderr }: Io): readonly string[] {
  const { construct, place, fidelity, scope, reason, counterExample } = entry;
  const about = scope === undefined ? "" : ` (${scope} only)`;
  const mark = paint(stderr, fidelity === "wider" ? "red" : "yellow", fidelity);
  return [
    `${place.file}:${place.line}:${place.column}: ${mark}${about}: ${construct}: ${reason}`,
    ...(counterExample === undefined ? [] : [`    ${witnessText(counterExample)}`]),
  ];
}

function summaryLine({ summary }: ImportReport): string {
  const { exact, narrower, wider, unsupported } = summary;
  return `${exact} exact, ${narrower} narrower, ${wider} wider, ${unsupported} unsupported`;
}

function writeReport(file: string, report: ImportReport, io: Io): void {
  try {
    writeFileSync(resolve(io.cwd, file), `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write \`${file}\`: ${systemReason(error) ?? "not writable"}`, {
      cause: error,
    });
  }
}
