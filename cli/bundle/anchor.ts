import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { trustBundles } from "../../protocol/index.ts";
import { certificatesFromPem, parseTrustBundle, parseTrustDomain, type TrustBundle } from "../../spiffe/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readAdminAccess, stateFolder } from "../state-folder.ts";
import type { TrustOptions } from "../trust-options.ts";

/** A trust anchor, and where it is known from, as the user knows it. */
export interface Anchor {
  readonly from: string;
  /** Its roots as a trust domain's bundle; absent where it knows another trust domain. */
  bundleOf(trustDomain: string): TrustBundle | undefined;
}

/** The anchor that the options name: a file, the authority that runs on the state folder, or its agent. */
export function trustAnchor({ state, rootFile }: TrustOptions, { cwd }: Io): Anchor | undefined {
  if (rootFile !== undefined) return pemAnchor(readText(rootFile, cwd), `\`${rootFile}\``);
  const folder = stateFolder(state, cwd);
  const running = readAdminAccess(folder);
  if (running !== undefined) return pemAnchor(running.rootPem, "the running authority");
  return agentAnchor(join(folder.agent, "trust-bundles.json"));
}

function readText(file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

function pemAnchor(pem: string, from: string): Anchor {
  const roots = certificatesFrom(pem, from);
  return {
    from,
    bundleOf: (name) => ({
      trustDomain: parseTrustDomain(name),
      x509Authorities: roots,
      jwtAuthorities: new Map(),
    }),
  };
}

function certificatesFrom(pem: string, from: string): TrustBundle["x509Authorities"] {
  try {
    return certificatesFromPem(pem);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `${from} holds no certificate in PEM`, { cause: error });
  }
}

/** What an agent keeps on disk of whom to believe; none where it has not enrolled. */
function agentAnchor(file: string): Anchor | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  try {
    const { bundles } = trustBundles.parse(JSON.parse(text));
    return {
      from: "the agent of the state folder",
      bundleOf: (name) => {
        const own = bundles[name];
        return own === undefined ? undefined : parseTrustBundle(parseTrustDomain(name), own);
      },
    };
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: it holds no trust bundles`, { cause: error });
  }
}
