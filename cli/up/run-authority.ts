import { formatDiagnostics } from "../../policies/index.ts";
import { readPassphrase } from "../ca/files.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { LogOptions, StateOptions } from "../command.ts";
import { commandLog } from "../command-log.ts";
import { type Io, stopRequested } from "../io.ts";
import { packageVersion } from "../package-version.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { answerLines } from "../publish/publish.ts";
import { readDiagnostics } from "../publish/read-diagnostics.ts";
import { readHostPort, readSeconds } from "../read-options.ts";
import { lines, paint } from "../screen.ts";
import { stateFolder } from "../state-folder.ts";
import { type StartedAuthority, startAuthority } from "./start-authority.ts";
import { meshTrustDomain } from "./trust-domain.ts";

/** Options of `cellwall authority`. */
export interface AuthorityRunOptions extends StateOptions, LogOptions {
  readonly listen: string;
  readonly trustDomain?: string;
  readonly name: readonly string[];
  readonly policies: readonly string[];
  readonly keyPassphraseFile?: string;
  readonly svidLifetime?: string;
  readonly crl?: boolean;
}

const PUBLISHER = "cellwall authority";

/** Runs the authority until asked to stop. */
export async function runAuthority(options: AuthorityRunOptions, io: Io): Promise<ExitCode> {
  const files = readPolicyFolders(options.policies, io.cwd);
  const state = stateFolder(options.state, io.cwd);
  const trustDomain = options.trustDomain ?? (files.length === 0 ? undefined : meshTrustDomain(files, state));
  const started = await startAuthority({
    state,
    ...readHostPort(options.listen),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    orFreePort: false,
    keyPassphrase: readPassphrase(options.keyPassphraseFile, io),
    revocationLists: options.crl,
    ...(options.svidLifetime === undefined ? {} : { lifetimes: { svidSeconds: readSeconds(options.svidLifetime) } }),
    clock: io.clock,
    names: options.name,
    log: commandLog(io.stderr, { format: options.logFormat, clock: io.clock }),
  });
  try {
    if (files.length > 0) await publishFirst(started, files, io);
    lines(io.stdout, ...startLines(started, options, io));
    await stopRequested(io.signal);
    lines(io.stdout, "stopping");
  } finally {
    await started.stop();
  }
  return EXIT.ok;
}

async function publishFirst({ authority }: StartedAuthority, files: readonly PolicyText[], io: Io): Promise<void> {
  const answer = await authority.publish(files, PUBLISHER);
  const errors = readDiagnostics(answer.diagnostics).filter((each) => each.severity === "error");
  if (errors.length === 0) return lines(io.stdout, ...answerLines(answer, false, io));
  lines(io.stderr, formatDiagnostics(errors, { files, color: io.stderr.color }).trimEnd());
  lines(io.stderr, `${paint(io.stderr, "red", "refused")}: the authority starts with what was in force before`);
}

function startLines({ authority, url }: StartedAuthority, options: AuthorityRunOptions, io: Io): readonly string[] {
  const { trustDomain, bundle } = authority.status();
  const state = options.state === ".cellwall" ? "" : ` --state ${options.state}`;
  const revision = bundle === undefined ? "none yet" : `${bundle.epoch}.${bundle.revision}`;
  return [
    `${paint(io.stdout, "bold", `cellwall ${packageVersion()}`)}: authority of ${trustDomain}`,
    `  address    ${url}, state in ${options.state}`,
    `  bundle     ${revision}`,
    "Next, in another terminal:",
    ...(bundle === undefined ? [`  cellwall publish${state}`] : []),
    `  cellwall ca token NODE${state}`,
    `  cellwall status${state}`,
  ];
}
