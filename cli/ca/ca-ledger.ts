import { printable } from "../../policies/index.ts";
import { type LedgerEntries, ledgerEntries } from "../../protocol/index.ts";
import { type AuthorityAccess, ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { columns, lines } from "../screen.ts";

/** Options of `cellwall ca ledger`. */
export interface LedgerOptions extends AuthorityOptions {
  readonly output: "text" | "json" | "csv";
  readonly limit: string;
  readonly all?: boolean;
  readonly identity?: string;
  readonly node?: string;
  readonly kind?: string;
}

type Entry = LedgerEntries["entries"][number];

const PAGE = 1000;

/** Prints entries of the ledger, or exports them all. JSON is one entry a line. */
export async function caLedger(options: LedgerOptions, io: Io): Promise<ExitCode> {
  if (!/^[1-9]\d{0,3}$/.test(options.limit))
    throw new CliError("ERR_CLI_USAGE", `\`${options.limit}\` is not a limit from 1 to 9999`);
  const access = authorityAccess(options, io);
  const wanted = options.all === true ? Number.POSITIVE_INFINITY : Number(options.limit);
  const entries = await read(access, options, wanted);
  lines(io.stdout, ...format(options.all === true ? entries.toReversed() : entries, options.output));
  return EXIT.ok;
}

/** Newest first, a page at a time. */
async function read(access: AuthorityAccess, options: LedgerOptions, wanted: number): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const limit = Math.min(PAGE, wanted - all.length);
    const before = all.at(-1)?.sequence;
    const path = `/v1/ledger?${queryOf(options, limit, before)}`;
    const { entries } = await ask(access, { method: "GET", path, answer: ledgerEntries });
    all.push(...entries);
    if (entries.length < limit || all.length >= wanted) return all;
  }
}

function queryOf({ all, identity, kind, node }: LedgerOptions, limit: number, before: number | undefined): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (identity !== undefined) query.set("identity", identity);
  if (node !== undefined) query.set("node", node);
  if (kind !== undefined) query.set("kind", kind);
  if (before !== undefined) query.set("before", String(before));
  if (all === true) query.set("proof", "true");
  return query.toString();
}

function format(entries: readonly Entry[], output: LedgerOptions["output"]): readonly string[] {
  switch (output) {
    case "json":
      return entries.map((entry) => JSON.stringify(entry));
    case "csv":
      return [COLUMNS.join(","), ...entries.map((entry) => COLUMNS.map((name) => csvCell(entry[name])).join(","))];
    case "text":
      return columns(entries.map(row), "");
    default:
      return output satisfies never;
  }
}

const COLUMNS = [
  "sequence",
  "at",
  "kind",
  "identity",
  "serial",
  "notAfter",
  "node",
  "evidence",
  "reason",
  "fingerprint",
  "previous",
  "hash",
] as const;

/**
 * One cell (RFC 4180). SECURITY: nodes choose what stands in a refusal; a spreadsheet must not take it for a formula.
 */
function csvCell(value: string | number | undefined): string {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function row({ at, evidence, identity, kind, node, reason, serial }: Entry): readonly string[] {
  const why = reason === undefined ? evidence : `${reason} (${evidence})`;
  return [at, kind, printable(identity), serial ?? "-", node === undefined ? "-" : printable(node), printable(why)];
}
