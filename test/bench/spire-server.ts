import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { freePort } from "../support/free-ports.ts";
import { until } from "../support/until.ts";

/** A SPIRE server that mints certificates over its admin socket. */
export interface SpireServer {
  issue(csr: Buffer): Promise<void>;
  /** CPU of its process so far, milliseconds, by the kernel's clock of 10 ms. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the server whose binary CELLWALL_SPIRE_SERVER names; nothing where it names none. */
export async function startSpire(binary = process.env.CELLWALL_SPIRE_SERVER): Promise<SpireServer | undefined> {
  if (binary === undefined || binary === "") return undefined;
  const folder = mkdtempSync(join(tmpdir(), "cellwall-spire-"));
  const socket = join(folder, "admin.sock");
  writeFileSync(join(folder, "server.conf"), configText(folder, socket, await freePort()));
  const child = spawn(binary, ["run", "-config", join(folder, "server.conf")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const issue = (csr: Buffer): Promise<void> => mint(client, csr);
  await until(
    () => new Promise<boolean>((take) => client.waitForReady(Date.now() + 500, (error) => take(error === undefined))),
    Boolean,
    { what: "SPIRE's admin socket", deadlineMs: 30_000 },
  );
  return {
    issue,
    cpuMs: async () => processCpuMs(child.pid ?? 0),
    stop: async () => {
      client.close();
      child.kill("SIGTERM");
      await new Promise((ended) => child.once("exit", ended));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Without its limits of signatures a second, keys of the kind that the other side has. */
function configText(folder: string, socket: string, port: number): string {
  return `server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "shop.example"
  data_dir = "${folder}"
  log_level = "ERROR"
  ca_key_type = "ec-p256"
  ratelimit { attestation = false  signing = false }
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3"  connection_string = "${folder}/datastore.sqlite3" } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
`;
}

/** `MintX509SVIDRequest { bytes csr = 1 }`; the answer only has to be one. */
function mint(client: Client, csr: Buffer): Promise<void> {
  const length = csr.length < 128 ? [csr.length] : [(csr.length & 0x7f) | 0x80, csr.length >> 7];
  const message = Buffer.concat([Buffer.from([0x0a, ...length]), csr]);
  return new Promise((take, fail) => {
    client.makeUnaryRequest(
      "/spire.api.server.svid.v1.SVID/MintX509SVID",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      message,
      (error, answer) => {
        if (error === null && (answer?.length ?? 0) > 400) take();
        else fail(error ?? new Error("SPIRE answers without a certificate"));
      },
    );
  });
}

function processCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
