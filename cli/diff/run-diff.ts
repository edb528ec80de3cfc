import {
  type DiffReport,
  diff,
  diffMarkdown,
  diffText,
  isBroader,
  isNarrower,
  withCandidates,
} from "../../policies/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { json, lines } from "../screen.ts";
import type { TrustOptions } from "../trust-options.ts";
import { readSource } from "./read-source.ts";

/** Options of `cellwall diff`. */
export interface DiffCommandOptions extends TrustOptions {
  readonly output: "text" | "json" | "markdown";
  readonly failOn?: "broader" | "narrower" | "any";
  readonly candidate?: boolean;
}

/** Prints what changes from one set to another. What could not be worked out counts as what `--fail-on` looks for. */
export async function runDiff(
  sources: { readonly old: string; readonly new: string },
  options: DiffCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const { output, failOn } = options;
  const [before, after] = [await readSource(sources.old, options, io), await readSource(sources.new, options, io)];
  const next = options.candidate === true ? withCandidates(after) : after;
  const report = diff(before, next, { now: io.clock() });
  if (output === "json") json(io.stdout, report);
  else if (output === "markdown") io.stdout.write(diffMarkdown(report));
  else lines(io.stdout, diffText(report));
  return failOn !== undefined && fails(report, failOn) ? EXIT.findings : EXIT.ok;
}

function fails({ direction, inexact }: DiffReport, failOn: "broader" | "narrower" | "any"): boolean {
  if (inexact) return true;
  if (failOn === "any") return direction !== "equivalent";
  return failOn === "broader" ? isBroader(direction) : isNarrower(direction);
}
