import { createPrivateKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Pkcs12, pkcs12 } from "../../ca/index.ts";
import { issuedCertificate, trustBundles } from "../../protocol/index.ts";
import { certificateFromDer, parseTrustBundle, parseTrustDomain } from "../../spiffe/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";
import { type StateFolder, stateFolder } from "../state-folder.ts";
import { readText, writeNew } from "./files.ts";

/** Options of `cellwall ca export`. */
export interface ExportOptions extends StateOptions {
  readonly out: string;
  readonly passphraseFile: string;
}

const keptSvid = z.object({ privateKey: z.string(), certificate: issuedCertificate });

/** Writes what the agent of a state folder keeps of a workload, or its anchors, as PKCS#12. */
export async function caExport(workload: string | undefined, options: ExportOptions, io: Io): Promise<ExitCode> {
  const state = stateFolder(options.state, io.cwd);
  const passphrase = readText(options.passphraseFile, io).split(/\r?\n/)[0] ?? "";
  const content = workload === undefined ? anchorsOf(state) : identityOf(state, workload);
  writeNew(options.out, pkcs12({ ...content, passphrase }), io, 0o600);
  lines(
    io.stdout,
    `${options.out}: ${workload === undefined ? "the trust domain's anchors" : `certificate and key of ${workload}`}`,
  );
  return EXIT.ok;
}

function identityOf(state: StateFolder, workload: string): Omit<Pkcs12, "passphrase"> {
  const file = join(state.agent, "svids", `${workload.replace("/", ".")}.json`);
  if (!/^[a-z0-9.-]+\/[a-z0-9.-]+$/.test(workload) || !existsSync(file)) {
    throw new CliError("ERR_CLI_STATE", `the agent on \`${state.root}\` keeps no certificate of \`${workload}\``, {
      hint: "name it <namespace>/<name>, on the host whose agent serves it",
    });
  }
  const { certificate, privateKey } = keptSvid.parse(JSON.parse(readFileSync(file, "utf8")));
  const chain = certificate.chain.map((der) => certificateFromDer(Buffer.from(der, "base64url")));
  return { identity: { key: createPrivateKey(privateKey), chain }, trusted: [], friendlyName: workload };
}

function anchorsOf(state: StateFolder): Omit<Pkcs12, "passphrase"> {
  const file = join(state.agent, "trust-bundles.json");
  if (!existsSync(file)) throw new CliError("ERR_CLI_STATE", `the agent on \`${state.root}\` knows no anchors yet`);
  const { bundles, trustDomain } = trustBundles.parse(JSON.parse(readFileSync(file, "utf8")));
  const own = parseTrustBundle(parseTrustDomain(trustDomain), bundles[trustDomain] ?? "");
  return { trusted: own.x509Authorities, friendlyName: trustDomain };
}
