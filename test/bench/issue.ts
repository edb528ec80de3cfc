import { fork } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "../../authority/index.ts";
import { signingRequest } from "../../ca/certificate-request.ts";
import { openCertificateAuthority } from "../../ca/index.ts";
import { enrolResponse } from "../../protocol/index.ts";
import { certificatesToPem, parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { recordResult } from "../support/record-result.ts";
import { startSpire } from "./spire-server.ts";

// CPU of one X.509-SVID from a request, one a call, in the server's process: `node test/bench/run.mjs issue [calls]`. Ours over its HTTPS API with an
// agent's certificate, the ledger's entry on the disk before the answer; SPIRE's MintX509SVID over its admin socket, where
// CELLWALL_SPIRE_SERVER names its binary. Both in turns, as the CPU of anything depends on the machine and what else runs on it.

const WEB = "spiffe://shop.example/shop/web";
const MESH = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop }
spec: { mode: enforce }
`;
const ROUNDS = 5;
const CALLERS = [1, 32];
const A_CALL = 25;

const keyOf = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const csrOf = (uri: string): Buffer => signingRequest(keyOf(), uri);

/** CPU of this process so far, milliseconds. */
const ownCpuMs = (): number => {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1000;
};

if (process.argv[2] === "server") await serve();
else await measure(Number(process.argv[2] ?? 1_000));

/** The authority in a process of its own; answers each message with its CPU so far and that of one bare signature. */
async function serve(): Promise<void> {
  const folder = process.argv[3] ?? "";
  const clock = () => new Date();
  const store = await openStore({ file: join(folder, "ca.db") });
  const trustDomain = parseTrustDomain("shop.example");
  const ca = await openCertificateAuthority({ store, keyFolder: join(folder, "keys"), trustDomain, clock });
  const authority = createAuthority({ ca, clock, adminToken: "bench", version: "0.0.0", store, localNode: "here" });
  await authority.publish([{ path: "mesh.yaml", text: MESH }], "bench");
  const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
  const { token } = await ca.createJoinToken("here");
  const rootPem = certificatesToPem(ca.trustBundle().x509Authorities);
  process.on("message", (what) => {
    process.send?.(what === "signature" ? signatureCpuMs() : ownCpuMs());
  });
  process.once("disconnect", () => process.exit());
  process.send?.({ url, token, rootPem });
}

/** CPU of one bare signature, milliseconds. */
function signatureCpuMs(): number {
  const [key, message, times] = [keyOf(), Buffer.alloc(600, 7), 2_000];
  const before = ownCpuMs();
  for (let each = 0; each < times; each += 1) sign("sha256", message, key);
  return (ownCpuMs() - before) / times;
}

interface Started {
  readonly url: string;
  readonly token: string;
  readonly rootPem: string;
}

/** One way to a certificate: asks for one, and tells the server's CPU so far. */
interface Server {
  issue(csr: Buffer): Promise<void>;
  /** As many in one call, where that is measured. */
  readonly issueMany?: (csrs: readonly Buffer[]) => Promise<void>;
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

interface Figures {
  cpuMs: number;
  perSecond: number;
}

async function measure(calls: number): Promise<void> {
  const ours = await startOurs();
  const spire = await startSpire();
  const servers = new Map<string, Server>([["cellwall", ours]]);
  if (spire !== undefined) servers.set("spire", spire);
  const requests = Array.from({ length: calls }, () => csrOf(WEB));
  const best = new Map<string, Figures>();
  let signature = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    signature = Math.min(signature, await ours.signature());
    for (const callers of CALLERS) {
      for (const [name, server] of servers)
        keepBest(best, `${name}, ${callers} callers`, await rate(server, requests, callers));
    }
    keepBest(best, `cellwall, ${A_CALL} a call`, await manyAtOnce(ours, requests));
  }
  for (const server of servers.values()) await server.stop();
  report(signature, best);
}

function keepBest(best: Map<string, Figures>, name: string, { cpuMs, perSecond }: Figures): void {
  const known = best.get(name) ?? { cpuMs, perSecond };
  best.set(name, { cpuMs: Math.min(known.cpuMs, cpuMs), perSecond: Math.max(known.perSecond, perSecond) });
}

async function rate(server: Server, requests: readonly Buffer[], callers: number): Promise<Figures> {
  const [before, startedMs] = [await server.cpuMs(), performance.now()];
  let next = 0;
  const call = async (): Promise<void> => {
    for (let csr = requests[next++]; csr !== undefined; csr = requests[next++]) await server.issue(csr);
  };
  await Promise.all(Array.from({ length: callers }, call));
  const seconds = (performance.now() - startedMs) / 1000;
  return { cpuMs: ((await server.cpuMs()) - before) / requests.length, perSecond: requests.length / seconds };
}

/** As an agent asks that starts with many workloads. */
async function manyAtOnce(server: Server, requests: readonly Buffer[]): Promise<Figures> {
  const [before, startedMs] = [await server.cpuMs(), performance.now()];
  for (let at = 0; at < requests.length; at += A_CALL) await server.issueMany?.(requests.slice(at, at + A_CALL));
  const seconds = (performance.now() - startedMs) / 1000;
  return { cpuMs: ((await server.cpuMs()) - before) / requests.length, perSecond: requests.length / seconds };
}

function report(signature: number, best: ReadonlyMap<string, Figures>): void {
  const round = (value: number): number => Number(value.toPrecision(3));
  const line = (name: string, ms: number, rest = ""): string =>
    `${name.padEnd(24)} ${ms.toFixed(3).padStart(7)} ms CPU ${(ms / signature).toFixed(1).padStart(6)} x a signature${rest}\n`;
  process.stdout.write(line("bare signature", signature));
  const figures: Record<string, unknown> = { signatureCpuMs: round(signature) };
  for (const [name, { cpuMs, perSecond }] of best) {
    process.stdout.write(line(name, cpuMs, `  ${perSecond.toFixed(0)}/s`));
    figures[name] = { cpuMs: round(cpuMs), signatures: round(cpuMs / signature), perSecond: Math.round(perSecond) };
  }
  for (const callers of CALLERS) {
    const [own, other] = [best.get(`cellwall, ${callers} callers`), best.get(`spire, ${callers} callers`)];
    if (own === undefined || other === undefined) continue;
    figures[`of SPIRE's, ${callers} callers`] = round(own.cpuMs / other.cpuMs);
    process.stdout.write(`${callers} callers: ${(own.cpuMs / other.cpuMs).toFixed(2)} x SPIRE's CPU\n`);
  }
  recordResult("bench-issue", figures);
}

async function startOurs(): Promise<Server & { signature(): Promise<number> }> {
  const folder = mkdtempSync(join(tmpdir(), "cellwall-bench-"));
  const child = fork(process.argv[1] ?? "", ["server", folder]);
  const answer = <T>(): Promise<T> => new Promise((take) => child.once("message", (message) => take(message as T)));
  const ask = (what: string): Promise<number> => {
    const answered = answer<number>();
    child.send(what);
    return answered;
  };
  const { rootPem, token, url } = await answer<Started>();
  const key = keyOf();
  const post = async (agent: Agent, path: string, body: unknown): Promise<unknown> => {
    const text = JSON.stringify(body);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    return new Promise((take, fail) => {
      const call = request(`${url}${path}`, { method: "POST", agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const answered = Buffer.concat(chunks).toString("utf8");
          if (response.statusCode === 200) take(JSON.parse(answered));
          else fail(new Error(answered));
        });
      });
      call.once("error", fail).end(text);
    });
  };
  const first = new Agent({ ca: rootPem });
  const csr = signingRequest(key, "spiffe://shop.example/cellwall/agent/here").toString("base64url");
  const enrolled = enrolResponse.parse(await post(first, "/v1/enrol", { token, csr }));
  const pem = (der: string): string =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(der, "base64url").toString("base64")}\n-----END CERTIFICATE-----\n`;
  const agent = new Agent({
    ca: rootPem,
    cert: enrolled.certificate.chain.map(pem).join(""),
    key: key.export({ type: "pkcs8", format: "pem" }),
    keepAlive: true,
  });
  const issueMany = async (csrs: readonly Buffer[]): Promise<void> => {
    const requests = csrs.map((one) => ({ identity: WEB, csr: one.toString("base64url") }));
    await post(agent, "/v1/svids", { requests });
  };
  return {
    issue: (one) => issueMany([one]),
    issueMany,
    cpuMs: () => ask("cpu"),
    signature: () => ask("signature"),
    stop: async () => {
      agent.destroy();
      child.disconnect();
      await new Promise((ended) => child.once("exit", ended));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
