import { printable } from "../../policies/index.ts";
import { authorityStatus, type LedgerEntries, ledgerEntries } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { CaStatusOptions } from "../commands/ca.ts";
import type { Io } from "../io.ts";
import { columns, json, lines, paint } from "../screen.ts";

/** Prints the signing certificates and the newest entries of the ledger. */
export async function caStatus(options: CaStatusOptions, io: Io): Promise<ExitCode> {
  if (!/^[1-9]\d{0,3}$/.test(options.limit))
    throw new CliError("ERR_CLI_USAGE", `\`${options.limit}\` is not a limit from 1 to 9999`);
  const access = authorityAccess(options, io);
  const status = await ask(access, { method: "GET", path: "/v1/status", answer: authorityStatus });
  const path = `/v1/ledger?limit=${options.limit}`;
  const { entries } = await ask(access, { method: "GET", path, answer: ledgerEntries });
  const { trustDomain, authorities, revocations } = status;
  if (options.output === "json") {
    json(io.stdout, { trustDomain, authorities, revocations, entries });
    return EXIT.ok;
  }
  const bold = (text: string): string => paint(io.stdout, "bold", text);
  lines(
    io.stdout,
    bold(`certificate authority of ${trustDomain}`),
    ...columns(authorities.map(({ role, serial, notAfter }) => [role, `until ${notAfter}`, `serial ${serial}`])),
    "",
    bold("ledger, newest first"),
    ...columns(entries.map(ledgerRow)),
  );
  return EXIT.ok;
}

function ledgerRow(entry: LedgerEntries["entries"][number]): readonly string[] {
  const { at, kind, identity, serial, node, evidence, reason } = entry;
  const why = reason === undefined ? evidence : `${reason} (${evidence})`;
  return [at, kind, printable(identity), serial ?? "-", node === undefined ? "-" : printable(node), printable(why)];
}
