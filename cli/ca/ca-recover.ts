import { existsSync, readFileSync } from "node:fs";
import { type CaOptions, lossOf, type Recovery, recoverCertificateAuthority } from "../../ca/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions, StateOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { count, json, lines, paint } from "../screen.ts";
import { type StateFolder, stateFolder } from "../state-folder.ts";
import { lockState } from "../up/state-lock.ts";
import { readPassphrase } from "./files.ts";
import type { PassphraseOptions } from "./options.ts";

/** Options of `cellwall ca recover`. */
export interface RecoverOptions extends StateOptions, OutputOptions, PassphraseOptions {
  readonly yes?: boolean;
}

/** Goes on from a database that has lost entries; the authority must be stopped. */
export async function caRecover(options: RecoverOptions, io: Io): Promise<ExitCode> {
  const state = stateFolder(options.state, io.cwd);
  if (!existsSync(state.database) || !existsSync(state.trustDomain)) {
    throw new CliError("ERR_CLI_STATE", `there is no authority in \`${options.state}\``);
  }
  const lock = lockState(state);
  const store = await openStore({ file: state.database });
  try {
    const place = { ...placeOf(state, options, io), store };
    if (options.yes !== true) return await tellLoss(place, io);
    const recovery = await recoverCertificateAuthority(place);
    if (options.output === "json") json(io.stdout, recovery);
    else lines(io.stdout, ...recoveryLines(recovery, io));
  } finally {
    await store.close();
    lock.release();
  }
  return EXIT.ok;
}

function placeOf(state: StateFolder, options: RecoverOptions, io: Io): Omit<CaOptions, "store"> {
  const trustDomain = parseTrustDomain(readFileSync(state.trustDomain, "utf8").trim());
  return {
    keyFolder: state.keys,
    keyPassphrase: readPassphrase(options.keyPassphraseFile, io),
    trustDomain,
    clock: io.clock,
  };
}

async function tellLoss(place: CaOptions, io: Io): Promise<ExitCode> {
  const loss = await lossOf(place);
  if (loss === undefined) {
    lines(io.stdout, "nothing is lost that is known of; after a restore of the whole machine use `--yes` all the same");
    return EXIT.ok;
  }
  lines(
    io.stdout,
    `${paint(io.stdout, "red", "lost")}: ${loss}`,
    "restore a newer backup, or go on from this one with `--yes`",
  );
  return EXIT.findings;
}

function recoveryLines(recovery: Recovery, io: Io): readonly string[] {
  const { epoch, kept, known, revocations } = recovery;
  const lost = known === undefined ? "an unknown number of" : String(Math.max(0, known - kept.sequence));
  return [
    `${paint(io.stdout, "green", "recovered")}: epoch ${epoch}; the ledger goes on after entry ${kept.sequence}, ${lost} entries are lost`,
    revocations === undefined
      ? `${paint(io.stdout, "yellow", "attention:")} revocations since the backup are not known; enter them again`
      : `${count(revocations, "revocation")} brought back`,
    "Next:",
    "  start the authority",
    "  cellwall ca rotate --root --compromised   ends every certificate that the ledger does not know",
  ];
}
