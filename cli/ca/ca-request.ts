import { existsSync, readFileSync } from "node:fs";
import { requestCertificate } from "../../ca/index.ts";
import { signingRequest } from "../../protocol/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";
import { makeOwnFolder, readAdminAccess, type StateFolder, stateFolder } from "../state-folder.ts";
import { readPassphrase } from "./files.ts";
import type { PassphraseOptions } from "./options.ts";

/** Options of `cellwall ca request`. */
export interface RequestOptions extends AuthorityOptions, PassphraseOptions {
  readonly trustDomain?: string;
}

/** Prints a request for an intermediate: of the running authority, else of the state folder. */
export async function caRequest(options: RequestOptions, io: Io): Promise<ExitCode> {
  const state = stateFolder(options.state, io.cwd);
  const runs = options.authority !== undefined || readAdminAccess(state) !== undefined;
  const request = runs ? await askForRequest(options, io) : await makeRequest(options, state, io);
  lines(io.stdout, request.trimEnd());
  lines(
    io.stderr,
    "have it signed where the root is: cellwall ca sign FILE --trust-domain … --root-cert … --root-key …",
  );
  return EXIT.ok;
}

async function askForRequest(options: RequestOptions, io: Io): Promise<string> {
  const access = authorityAccess(options, io);
  const question = { method: "POST", path: "/v1/ca/requests", body: {}, answer: signingRequest } as const;
  return (await ask(access, question)).request;
}

function makeRequest(options: RequestOptions, state: StateFolder, io: Io): Promise<string> {
  const kept = existsSync(state.trustDomain) ? readFileSync(state.trustDomain, "utf8").trim() : undefined;
  const name = kept ?? options.trustDomain;
  if (name === undefined) {
    throw new CliError("ERR_CLI_USAGE", "before the first start a request needs `--trust-domain`");
  }
  for (const folder of [state.root, state.authority]) makeOwnFolder(folder);
  const keyPassphrase = readPassphrase(options.keyPassphraseFile, io);
  return requestCertificate({ keyFolder: state.keys, keyPassphrase, trustDomain: parseTrustDomain(name) });
}
