import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, createAuthority } from "../../authority/index.ts";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/index.ts";
import { type Agent, type AgentOptions, createAgent, type LogRecord } from "../../ext-authz/index.ts";
import { capturingLogger, type LoggedLine } from "../../ext-authz/testing/capture.ts";
import { shardOf } from "../../policies/index.ts";
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
  await publish(policies(folder));
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
  const rootPem = certificatesToPem(ca.trustBundle().x509Authorities);
  return { folder, ca, authority, agent, records, lines: log.lines, rootPem, publish, decision, stop };
}
