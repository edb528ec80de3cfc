import { randomBytes } from "node:crypto";
import { privateKeyFromPem, signRequest } from "../../ca/index.ts";
import { certificatesFromPem, certificatesToPem, parseTrustDomain } from "../../spiffe/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";
import { readDays } from "./days.ts";
import { readPassphrase, readText, requestFromPem } from "./files.ts";
import type { PassphraseOptions } from "./options.ts";

/** Options of `cellwall ca sign`. */
export interface SignOptions extends PassphraseOptions {
  readonly trustDomain: string;
  readonly rootCert: string;
  readonly rootKey: string;
  readonly days: string;
}

/** Signs a request with a root, and prints the intermediate. */
export async function caSign(request: string, options: SignOptions, io: Io): Promise<ExitCode> {
  const [certificate, ...others] = certificatesFromPem(readText(options.rootCert, io));
  if (certificate === undefined || others.length > 0) {
    throw new CliError("ERR_CLI_FILE", `\`${options.rootCert}\` holds more than one certificate`);
  }
  const passphrase = readPassphrase(options.keyPassphraseFile, io);
  const key = privateKeyFromPem(readText(options.rootKey, io), passphrase);
  const parts = { trustDomain: parseTrustDomain(options.trustDomain), clock: io.clock, random: randomBytes };
  const der = requestFromPem(readText(request, io), request);
  const signed = signRequest(parts, { certificate, key }, der, readDays(options.days));
  lines(io.stdout, certificatesToPem([signed]).trimEnd());
  lines(io.stderr, `signed until ${signed.validTo}; take it in with \`cellwall ca import\` or \`cellwall ca init\``);
  return EXIT.ok;
}
