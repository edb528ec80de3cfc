import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, createAuthority } from "../../authority/index.ts";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/index.ts";
import { locateEnvoy, type RunningEnvoy, renderSidecar, runEnvoy } from "../../envoy/index.ts";
import { type Agent, type AgentOptions, createAgent, type LogRecord, socketPaths } from "../../ext-authz/index.ts";
import { capturingLogger, type LoggedLine } from "../../ext-authz/testing/capture.ts";
import { parseDocuments, resolve, shardOf } from "../../policies/index.ts";
import { certificatesToPem, parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { until } from "./until.ts";

/** An authority and one agent of it, in this process, in a folder of their own. */
export interface AgentWorld {
  readonly folder: string;
  readonly ca: CertificateAuthority;
  readonly authority: Authority;
  readonly agent: Agent;
  readonly records: readonly LogRecord[];
  readonly lines: readonly LoggedLine[];
  /** The root of Cellwall's own authority, which the agent's certificate leads to. */
  readonly rootPem: string;
  publish(text: string): Promise<void>;
  /** Starts the generated sidecar of a workload of the first policies, and waits until it is ready. */
  startSidecar(name: string, more?: { readonly systemRoots?: string }): Promise<RunningEnvoy>;
  /** The decision about a workload since the mark, which is a length of `records`. */
  decision(mark: number, fits?: (record: Decision) => boolean): Promise<Decision>;
  stop(): Promise<void>;
}

type Decision = Extract<LogRecord, { readonly kind: "decision" }>;

/** What a world is made of; `policies` gets the world's folder. */
export interface AgentWorldOptions extends Partial<AgentOptions> {
  readonly trustDomain: string;
  /** A node that the policies name. */
  readonly node: string;
  readonly policies: (folder: string) => string;
}

/** Starts an authority, publishes, joins the agent and waits until it is in force. */
export async function startAgentWorld({ node, policies, ...options }: AgentWorldOptions): Promise<AgentWorld> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const store = await openStore({ file: join(folder, "authority.db") });
  const trustDomain = parseTrustDomain(options.trustDomain);
  const clock = (): Date => new Date();
  const ca = await openCertificateAuthority({ store, keyFolder: join(folder, "keys"), trustDomain, clock, shardOf });
  const authority = createAuthority({ ca, clock, adminToken: "test", version: "0.0.0", store });
  const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
  const publish = async (text: string): Promise<void> => {
    const { diagnostics } = await authority.publish([{ path: "mesh.yaml", text }], "test");
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
  };
  const text = policies(folder);
  await publish(text);
  const records: LogRecord[] = [];
  const log = capturingLogger();
  const { token } = await ca.createJoinToken(node);
  mkdirSync(join(folder, "run"), { mode: 0o700 });
  const agent = createAgent({
    authorityUrl: url,
    joinToken: token,
    stateDir: join(folder, "agent"),
    runDir: join(folder, "run"),
    log,
    decisionLog: { listener: (record) => records.push(record) },
    ...options,
  });
  const stop = async (): Promise<void> => {
    await agent.stop();
    await authority.close();
    await ca.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await agent.start();
    await until(() => agent.ready(), Boolean, { what: `the agent is ready: ${agent.status().waitingFor.join(", ")}` });
  } catch (error) {
    await stop();
    throw error;
  }
  const isDecision = (record: LogRecord): record is Decision => record.kind === "decision";
  const decision: AgentWorld["decision"] = (mark, fits = () => true) =>
    until(
      () => records.slice(mark).filter(isDecision).find(fits),
      (found) => found !== undefined,
      { what: "the decision" },
    );
  const startSidecar: AgentWorld["startSidecar"] = (name, more) => sidecarOf(folder, text, name, more);
  const rootPem = certificatesToPem(ca.trustBundle().x509Authorities);
  return { folder, ca, authority, agent, records, lines: log.lines, rootPem, publish, startSidecar, decision, stop };
}

async function sidecarOf(folder: string, text: string, name: string, more: object = {}): Promise<RunningEnvoy> {
  const set = resolve(parseDocuments([{ path: "mesh.yaml", text }]).documents);
  const workload = set.workloads.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`there is no workload \`${name}\``);
  const { path, version: envoyVersion } = await locateEnvoy();
  const sockets = socketPaths(join(folder, "run"), workload);
  const adminSocket = join(folder, "admin.sock");
  const bootstrap = renderSidecar({ workload, set, envoyVersion, sockets, adminSocket, ...more });
  const envoy = await runEnvoy({ path, adminSocket, bootstrap });
  await envoy.ready();
  return envoy;
}
