import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text as textOf } from "node:stream/consumers";
import { connect, createServer, TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalMesh } from "../../cli/local-mesh/index.ts";
import { certificatesToPem, formatTrustBundle, matchId, parseSpiffeId } from "../../spiffe/index.ts";
import {
  JwtSource,
  peerIdOf,
  protectServer,
  tlsClientOptions,
  tlsServerOptions,
  X509Source,
} from "../../spiffe/workload-api/index.ts";
import { depth } from "../support/depth.ts";
import { buildJudge, go } from "../support/go.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { startTestMesh } from "../support/test-mesh.ts";

// What others make of our certificates, tokens and sockets: OpenSSL always, go-spiffe and zlint at full depth.

const sidecar = { listens: [{ port: 8443 }] };
const text = meshDocuments({ workloads: { web: sidecar, orders: sidecar, gone: sidecar } });
const idOf = (name: string) => parseSpiffeId(`spiffe://test.example/shop/${name}`);

const folder = mkdtempSync(join(tmpdir(), "cw-"));
const sources: { close(): void }[] = [];
let mesh: LocalMesh;
let x509: X509Source;
let jwt: JwtSource;

beforeAll(async () => {
  mesh = await startTestMesh([{ path: "mesh.yaml", text }]);
  const address = addressOf("orders");
  [x509, jwt] = await Promise.all([X509Source.open({ address }), JwtSource.open({ address })]);
  sources.push(x509, jwt);
});
afterAll(async () => {
  for (const source of sources) source.close();
  await mesh?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const addressOf = (name: string): string => `unix://${mesh.sockets(name).workload}`;
function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const rootsOf = () => x509.bundleOf(x509.svid.id.trustDomain)?.x509Authorities ?? [];

it("OpenSSL, held to the letter, verifies what the Workload API gives, for clients and for servers", () => {
  const [leaf, ...issuers] = x509.svid.chain;
  const leafFile = write("leaf.pem", certificatesToPem(leaf === undefined ? [] : [leaf]));
  const issuersFile = write("issuers.pem", certificatesToPem(issuers));
  const rootsFile = write("roots.pem", certificatesToPem(rootsOf()));
  for (const purpose of ["sslclient", "sslserver"]) {
    const chain = ["-CAfile", rootsFile, "-untrusted", issuersFile, leafFile];
    const ran = spawnSync("openssl", ["verify", "-x509_strict", "-purpose", purpose, ...chain], { encoding: "utf8" });
    expect([ran.stdout.trim(), ran.stderr]).toEqual([`${leafFile}: OK`, ""]);
  }
});

if (depth === "full") {
  describe.skipIf(go === undefined)(`Go${go === undefined ? " (not here: there is no go)" : ""}`, () => {
    let judge: string;
    beforeAll(() => {
      judge = buildJudge(folder);
    }, 600_000);

    const environment = (name: string) => ({ ...process.env, SPIFFE_ENDPOINT_SOCKET: addressOf(name) });
    /** Not in the way of the mesh, which answers from this very process. */
    async function ask(name: string, args: readonly string[], input = ""): Promise<Record<string, unknown>> {
      const child = spawn(judge, args, { env: environment(name), stdio: ["pipe", "pipe", "pipe"] });
      child.stdin.end(input);
      const [output, problem] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      if (output === "") throw new Error(problem);
      return JSON.parse(output);
    }
    const children: ChildProcess[] = [];
    afterAll(async () => {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
    });
    /** Runs beside this process, at the longest until the end; gives its lines. */
    function run(name: string, args: readonly string[]) {
      const child = spawn(judge, args, { env: environment(name), stdio: ["pipe", "pipe", "ignore"] });
      children.push(child);
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    }

    it("go-spiffe fetches an X.509-SVID and verifies it", async () => {
      expect(await ask("orders", ["x509"])).toEqual({ id: `${idOf("orders")}`, serial: x509.svid.serial });
    });

    it("go-spiffe fetches a JWT-SVID, verifies it, and has it validated; so does our verifier", async () => {
      const { token, ...said } = await ask("orders", ["jwt", "billing"]);
      expect(said).toEqual({ here: `${idOf("orders")}`, remote: `${idOf("orders")}`, another: true });
      expect(await jwt.verify(String(token), { audience: "billing" })).toMatchObject({ ok: true });
    });

    it("go-spiffe reads the trust bundle, X.509 and JWT", async () => {
      const bundle = x509.bundleOf(x509.svid.id.trustDomain);
      const jwtAuthorities = jwt.bundleOf(x509.svid.id.trustDomain)?.jwtAuthorities;
      if (bundle === undefined || jwtAuthorities === undefined) throw new Error("no bundle");
      const document = formatTrustBundle({ ...bundle, jwtAuthorities });
      const counts = { x509: bundle.x509Authorities.length, jwt: jwtAuthorities.size };
      expect(await ask("orders", ["bundle", "test.example"], document)).toEqual(counts);
    });

    it("a Go client and a Node server speak mTLS, and no other client does", async () => {
      const seen: string[] = [];
      const server = createServer(tlsServerOptions(x509), (socket) => {
        socket.once("data", (line) => {
          seen.push(`${peerIdOf(socket)}`);
          socket.end(`${peerIdOf(socket)} said ${line}`);
        });
      });
      protectServer(server, { source: x509, authorize: matchId(idOf("web")) });
      server.on("tlsClientError", () => undefined);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const at = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
      const dial = async (name: string) => {
        const { child, lines } = run(name, ["dial", at, `${idOf("orders")}`]);
        const { value } = await lines.next();
        if (child.exitCode === null) await once(child, "exit");
        return value === undefined ? undefined : JSON.parse(value);
      };
      expect(await dial("web")).toEqual({ line: `${idOf("web")} said hello from go\n`, peer: `${idOf("orders")}` });
      expect(await dial("gone")).toBeUndefined();
      expect(seen).toEqual([`${idOf("web")}`]);
      await new Promise((resolve) => server.close(resolve));
    });

    it("a Node client and a Go server speak mTLS", async () => {
      const { lines } = run("web", ["serve", `${idOf("orders")}`]);
      const { port } = JSON.parse((await lines.next()).value ?? "{}");
      const options = tlsClientOptions({ source: x509, authorize: matchId(idOf("web")) });
      const socket = connect({ host: "127.0.0.1", port, ...options });
      expect(socket).toBeInstanceOf(TLSSocket);
      socket.write("hello from node\n");
      const [answer] = await once(socket, "data");
      expect(`${answer}`).toBe(`${idOf("orders")} said hello from node\n`);
      socket.destroy();
    });

    it("go-spiffe hears at once that an identity was revoked", async () => {
      const { child, lines } = run("gone", ["watch"]);
      expect(JSON.parse((await lines.next()).value ?? "{}")).toMatchObject({ bundles: 1 });
      await mesh.revoke(`${idOf("gone")}`, "test");
      expect(JSON.parse((await lines.next()).value ?? "{}").error).toContain("PermissionDenied");
      child.stdin.end();
      await once(child, "exit");
    });

    it("zlint finds nothing in leaf, intermediates and roots", async () => {
      const pem = certificatesToPem([...x509.svid.chain, ...rootsOf()]);
      const { certificates, findings, lints } = await ask("orders", ["lint"], pem);
      expect(findings).toEqual([]);
      expect([certificates, Number(lints) > 100]).toEqual([x509.svid.chain.length + rootsOf().length, true]);
    });
  });
}
