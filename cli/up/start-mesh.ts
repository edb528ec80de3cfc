import type { Authority, AuthorityLog } from "../../authority/index.ts";
import type { CertificateAuthority, Lifetimes } from "../../ca/index.ts";
import { type Agent, createAgent, type Logger, type LogRecord } from "../../ext-authz/index.ts";
import type { PublishResponse } from "../../protocol/index.ts";
import { CliError } from "../cli-error.ts";
import type { PolicyText } from "../policy-folder.ts";
import { makeOwnFolder, stateFolder } from "../state-folder.ts";
import { DEFAULT_PORT, startAuthority } from "./start-authority.ts";
import { meshTrustDomain } from "./trust-domain.ts";
import { Undo } from "./undo.ts";

/** The node that the agent of an all-in-one process runs as. */
export const LOCAL_NODE = "local";

/** How to run authority and agent in one process. */
export interface MeshOptions {
  /** State folder; made where it is missing. */
  readonly stateDir: string;
  /** The set to start with. */
  readonly files: readonly PolicyText[];
  /** Folder of the sockets; default `<stateDir>/run`. Its path must be short. */
  readonly runDir?: string;
  /** Loopback address to listen on. */
  readonly host?: string;
  /** Default 7443, or a free one where that is taken; 0 takes a free one. */
  readonly port?: number;
  readonly clock?: () => Date;
  readonly log?: AuthorityLog & Logger;
  /** Called for each decision and each refused connection. */
  readonly onDecision?: (record: LogRecord) => void;
  /** File of the decision log; default `<stateDir>/log/decisions.jsonl`. `false` writes none. */
  readonly decisionLogFile?: string | false;
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  readonly maxStaleMs?: number;
  /** How long certificates and keys hold. */
  readonly lifetimes?: Partial<Lifetimes>;
  /** Encrypts the authority's private keys on disk. */
  readonly keyPassphrase?: string | undefined;
  /** Signs revocation lists (CRLs) too. */
  readonly revocationLists?: boolean | undefined;
  /** Told of the first publish, good or bad, before the agent starts. */
  readonly onPublished?: (answer: PublishResponse) => void;
}

/** A running authority with its agent. */
export interface Mesh {
  readonly authority: Authority;
  readonly ca: CertificateAuthority;
  readonly agent: Agent;
  readonly url: string;
  /** What became of the set that it was started with. */
  readonly firstPublish: PublishResponse;
  /** Replaces the set; a bad one is refused and the last good one stays in force. */
  publish(files: readonly PolicyText[]): Promise<PublishResponse>;
  stop(): Promise<void>;
}

const PUBLISHER = "cellwall up";
const SILENT: AuthorityLog & Logger = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * Starts authority and agent in this process, on loopback. With a bad set it starts on the last good one of the state folder, if there is
 * one; else it throws `ERR_CLI_POLICIES`. Whatever fails, nothing is left running.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const undo = new Undo();
  try {
    return await start(options, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(options: MeshOptions, undo: Undo): Promise<Mesh> {
  const state = stateFolder(options.stateDir, process.cwd());
  const { clock = () => new Date(), log = SILENT } = options;
  const trustDomain = meshTrustDomain(options.files, state);
  const started = await startAuthority({
    state,
    ...(trustDomain === undefined ? {} : { trustDomain }),
    host: options.host ?? "127.0.0.1",
    port: options.port ?? DEFAULT_PORT,
    orFreePort: options.port === undefined,
    clock,
    ...(options.lifetimes === undefined ? {} : { lifetimes: options.lifetimes }),
    keyPassphrase: options.keyPassphrase,
    revocationLists: options.revocationLists,
    localNode: LOCAL_NODE,
    log,
  });
  undo.add(() => started.stop());
  const { authority, ca, url } = started;
  const publish = (files: readonly PolicyText[]): Promise<PublishResponse> => authority.publish(files, PUBLISHER);
  const firstPublish = await publish(options.files);
  options.onPublished?.(firstPublish);
  requireSomeBundle(firstPublish);
  const agent = await startAgent({ ...options, log, clock }, { url, ca });
  undo.add(() => agent.stop());
  return { authority, ca, agent, url, firstPublish, publish, stop: () => undo.run() };
}

function requireSomeBundle({ diagnostics, revision }: PublishResponse): void {
  const errors = diagnostics.filter((each) => each.severity === "error");
  const first = errors[0];
  if (first === undefined || revision > 0) return;
  const { file, line, column } = first.span;
  throw new CliError("ERR_CLI_POLICIES", `${file}:${line}:${column}: ${first.message}`, {
    hint: first.hint ?? "`cellwall check` shows every error with its line",
  });
}

async function startAgent(
  options: MeshOptions & { readonly log: Logger },
  { url, ca }: { readonly url: string; readonly ca: CertificateAuthority },
): Promise<Agent> {
  const state = stateFolder(options.stateDir, process.cwd());
  const runDir = options.runDir ?? state.run;
  for (const folder of [state.agent, runDir]) makeOwnFolder(folder);
  const { token } = await ca.createJoinToken(LOCAL_NODE);
  const agent = createAgent({
    authorityUrl: url,
    joinToken: token,
    stateDir: state.agent,
    runDir,
    log: options.log,
    decisionLog: decisionLogOf(options, state.decisionLog),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    ...(options.maxStaleMs === undefined ? {} : { maxStaleMs: options.maxStaleMs }),
  });
  try {
    await agent.start();
    return agent;
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

function decisionLogOf(
  { decisionLogFile, onDecision }: MeshOptions,
  file: string,
): { file?: string; listener?: (record: LogRecord) => void } {
  return {
    ...(decisionLogFile === false ? {} : { file: decisionLogFile ?? file }),
    ...(onDecision === undefined ? {} : { listener: onDecision }),
  };
}
