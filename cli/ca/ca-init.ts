import { writeFileSync } from "node:fs";
import { type Brought, openCertificateAuthority, privateKeyFromPem } from "../../ca/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";
import { makeOwnFolder, stateFolder } from "../state-folder.ts";
import { lockState } from "../up/state-lock.ts";
import { readPassphrase, readText } from "./files.ts";
import type { PassphraseOptions } from "./options.ts";

/** Options of `cellwall ca init`. */
export interface InitOptions extends StateOptions, PassphraseOptions {
  readonly trustDomain: string;
  readonly rootCert?: string;
  readonly rootKey?: string;
  readonly intermediate?: string;
  readonly intermediateKey?: string;
}

/** Founds the authority in a state folder that has none yet. */
export async function caInit(options: InitOptions, io: Io): Promise<ExitCode> {
  const trustDomain = parseTrustDomain(options.trustDomain);
  const brought = readBrought(options, io);
  const state = stateFolder(options.state, io.cwd);
  for (const folder of [state.root, state.authority]) makeOwnFolder(folder);
  const lock = lockState(state);
  const store = await openStore({ file: state.database });
  try {
    const keyPassphrase = readPassphrase(options.keyPassphraseFile, io);
    const place = { store, keyFolder: state.keys, keyPassphrase, trustDomain, clock: io.clock };
    const ca = await openCertificateAuthority({ ...place, brought });
    writeFileSync(state.trustDomain, `${trustDomain}\n`, { mode: 0o600 });
    lines(
      io.stdout,
      `${paint(io.stdout, "green", "founded")}: the authority of ${trustDomain} in ${options.state}`,
      `its root's public key is ${ca.rootFingerprint()}`,
    );
    await ca.close();
  } finally {
    await store.close();
    lock.release();
  }
  return EXIT.ok;
}

function readBrought(options: InitOptions, io: Io): Brought | undefined {
  const { intermediate, intermediateKey, rootCert, rootKey } = options;
  if (rootCert === undefined) {
    if ([intermediate, intermediateKey, rootKey].every((file) => file === undefined)) return undefined;
    throw new CliError("ERR_CLI_USAGE", "what is brought needs its root: give `--root-cert`");
  }
  const key = (file: string | undefined) =>
    file === undefined
      ? undefined
      : privateKeyFromPem(readText(file, io), readPassphrase(options.keyPassphraseFile, io));
  return {
    root: readText(rootCert, io),
    rootKey: key(rootKey),
    chain: intermediate === undefined ? undefined : readText(intermediate, io),
    key: key(intermediateKey),
  };
}
