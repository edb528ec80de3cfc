import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type AgentOptions, createAgent } from "../../ext-authz/index.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { LogOptions, StateOptions } from "../command.ts";
import { commandLog } from "../command-log.ts";
import { decisionLine } from "../decision-line.ts";
import { type Io, stopRequested } from "../io.ts";
import { readHostPort, readSeconds, readTcpAddress } from "../read-options.ts";
import { lines } from "../screen.ts";
import { makeOwnFolder, stateFolder } from "../state-folder.ts";

/** Options of `cellwall agent`. */
export interface AgentRunOptions extends StateOptions, LogOptions {
  readonly authority: string;
  readonly joinTokenFile?: string;
  readonly attestTokenFile?: string;
  readonly authorityRoot?: string;
  readonly node?: string;
  readonly runDir?: string;
  readonly metrics?: string;
  readonly listen?: string;
  readonly maxStale?: string;
  readonly decisions?: boolean;
}

/** Runs an agent until asked to stop. */
export async function runAgent(options: AgentRunOptions, io: Io): Promise<ExitCode> {
  const state = stateFolder(options.state, io.cwd);
  const runDir = options.runDir === undefined ? state.run : resolve(io.cwd, options.runDir);
  const joinToken = await readJoinToken(options.joinTokenFile, io);
  for (const folder of [state.root, state.agent, runDir]) makeOwnFolder(folder);
  const agent = createAgent({
    authorityUrl: authorityUrl(options.authority),
    stateDir: state.agent,
    runDir,
    clock: io.clock,
    log: commandLog(io.stderr, { format: options.logFormat, clock: io.clock }),
    ...(joinToken === undefined ? {} : { joinToken }),
    ...attestation(options, io),
    ...observation(options, state.decisionLog, io),
  });
  try {
    await agent.start();
    const { metricsUrl } = agent;
    const { listen } = agent.status();
    const places = [
      `sockets in ${runDir}`,
      ...(listen === undefined ? [] : [`checks over mTLS at ${listen.address}`]),
      ...(metricsUrl === undefined ? [] : [`status at ${metricsUrl}`]),
    ];
    lines(io.stdout, `agent of ${options.authority}: ${places.join(", ")}`);
    await stopRequested(io.signal);
    lines(io.stdout, "stopping");
  } finally {
    await agent.stop();
  }
  return EXIT.ok;
}

function observation(
  options: AgentRunOptions,
  file: string,
  io: Io,
): Pick<AgentOptions, "decisionLog" | "metrics" | "listen" | "maxStaleMs"> {
  const listener: NonNullable<AgentOptions["decisionLog"]>["listener"] = (record) =>
    lines(io.stdout, decisionLine(record, io.stdout));
  return {
    decisionLog: { file, ...(options.decisions === true ? { listener } : {}) },
    ...(options.metrics === undefined ? {} : { metrics: readHostPort(options.metrics) }),
    ...(options.listen === undefined ? {} : { listen: readTcpAddress(options.listen) }),
    ...(options.maxStale === undefined ? {} : { maxStaleMs: readSeconds(options.maxStale) * 1000 }),
  };
}

function authorityUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.pathname === "/" && url.search === "" && url.username === "") return url.origin;
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not an authority's address`, { hint: "write https://host:port" });
}

function attestation(options: AgentRunOptions, io: Io): Pick<AgentOptions, "attestation"> {
  const { attestTokenFile: file, authorityRoot: rootFingerprint, node } = options;
  if (file === undefined) return {};
  if (rootFingerprint === undefined) {
    throw new CliError("ERR_CLI_USAGE", "`--attest-token-file` needs `--authority-root`", {
      hint: "`cellwall status`, on the authority's host, shows the root's fingerprint: the agent sends its token to no other",
    });
  }
  const token = (): string => readTokenFile(file, io, "the platform writes it; see whether it is mounted");
  return { attestation: { token, rootFingerprint, ...(node === undefined ? {} : { node }) } };
}

/** From the file, standard input or the environment. SECURITY: never from the command line, which every user of the host can read. */
async function readJoinToken(file: string | undefined, io: Io): Promise<string | undefined> {
  if (file === undefined) return io.env.CELLWALL_JOIN_TOKEN?.trim() || undefined;
  if (file === "-") return (await io.stdin()).trim();
  return readTokenFile(file, io, "`cellwall ca token NODE`, on the authority's host, prints one");
}

function readTokenFile(file: string, io: Io, hint: string): string {
  try {
    return readFileSync(resolve(io.cwd, file), "utf8").trim();
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: ${systemReason(error) ?? "unreadable"}`, {
      hint,
      cause: error,
    });
  }
}
