import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { encryptKey, makeOfflineRoot } from "../../ca/index.ts";
import { certificatesFromPem, parseTrustDomain, publicKeyFingerprint } from "../../spiffe/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";
import { makeOwnFolder } from "../state-folder.ts";
import { readDays } from "./days.ts";
import { readPassphrase, writeNew } from "./files.ts";
import type { PassphraseOptions } from "./options.ts";

/** Options of `cellwall ca root`. */
export interface RootOptions extends PassphraseOptions {
  readonly trustDomain: string;
  readonly out: string;
  readonly days: string;
}

const LEAST_PASSPHRASE_CHARS = 12;

/** Makes a root; its key never lies anywhere without a passphrase. */
export async function caRoot(options: RootOptions, io: Io): Promise<ExitCode> {
  const passphrase = readPassphrase(options.keyPassphraseFile, io);
  if (passphrase === undefined || passphrase.length < LEAST_PASSPHRASE_CHARS) {
    throw new CliError(
      "ERR_CLI_USAGE",
      `a root's key needs a passphrase of ${LEAST_PASSPHRASE_CHARS} characters at least`,
      {
        hint: "openssl rand -base64 24 > pass, then `--key-passphrase-file pass`",
      },
    );
  }
  const parts = { trustDomain: parseTrustDomain(options.trustDomain), clock: io.clock, random: randomBytes };
  const root = makeOfflineRoot(parts, readDays(options.days));
  makeOwnFolder(resolve(io.cwd, options.out));
  writeNew(join(options.out, "root.key"), encryptKey(root.key, passphrase), io, 0o600);
  writeNew(join(options.out, "root.pem"), root.certificate, io, 0o644);
  const [certificate] = certificatesFromPem(root.certificate);
  lines(
    io.stdout,
    `${join(options.out, "root.pem")}: the certificate; it goes to the authority`,
    `${join(options.out, "root.key")}: its key, encrypted; it stays here`,
    ...(certificate === undefined
      ? []
      : [`public key ${publicKeyFingerprint(certificate)}, until ${certificate.validTo}`]),
  );
  return EXIT.ok;
}
