import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { checkEntries, type LedgerCheck } from "../../ca/index.ts";
import { ledgerCheck, ledgerEntries, parseMessage } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { count, json, lines, paint } from "../screen.ts";
import type { CaOptions } from "./options.ts";

/** Options of `cellwall ca ledger verify`. */
export interface VerifyOptions extends CaOptions {
  readonly file?: string;
}

/** Walks the ledger's hash chain; a broken one is a finding. */
export async function caLedgerVerify(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const check = options.file === undefined ? await askForCheck(options, io) : checkFile(options.file, io);
  if (options.output === "json") json(io.stdout, check);
  else lines(io.stdout, checkLine(check, io));
  return check.ok ? EXIT.ok : EXIT.findings;
}

function checkLine(check: LedgerCheck, io: Io): string {
  if (!check.ok) return `${paint(io.stdout, "red", "broken")}: at entry ${check.sequence}, ${check.problem}`;
  const entries = count(check.entries, "entry", "entries");
  return `${paint(io.stdout, "green", "whole")}: ${entries}, the last one's hash is ${check.head}`;
}

function askForCheck(options: VerifyOptions, io: Io): Promise<LedgerCheck> {
  const access = authorityAccess(options, io);
  return ask(access, { method: "GET", path: "/v1/ledger/check", answer: ledgerCheck });
}

function checkFile(file: string, io: Io): LedgerCheck {
  const entries = readLines(file, io).map((line, at) => readEntry(line, `${file}:${at + 1}`));
  return checkEntries(entries);
}

function readLines(file: string, io: Io): readonly string[] {
  try {
    const text = readFileSync(resolve(io.cwd, file), "utf8");
    return text.split("\n").filter((line) => line !== "");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

function readEntry(line: string, place: string) {
  try {
    const { entries } = parseMessage(ledgerEntries, { entries: [JSON.parse(line)] }, "ledger entry");
    const [entry] = entries;
    if (entry?.hash === undefined) throw new Error("it has no hash");
    return entry;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError("ERR_CLI_FILE", `${place}: not an exported entry: ${why}`, {
      hint: "export with `cellwall ca ledger --all --output json`",
      cause: error,
    });
  }
}
