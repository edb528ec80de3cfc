// One app of the shop as a process of its own, driven over Node's IPC channel by whoever plays the scenario.
// Arguments: <name> <unix socket to listen on> [<unix socket of the database>]
import { chmodSync } from "node:fs";
import type { Agent } from "node:http";
import { httpCall, openConnection, rawTlsCall, tcpCall } from "./calls.ts";
import { fetchSvid } from "./fetch-svid.ts";
import type { AppAnswer, AppRequest } from "./messages.ts";
import { databaseApp, httpApp } from "./servers.ts";

const [name, socketPath, database] = process.argv.slice(2);
if (name === undefined || socketPath === undefined)
  throw new TypeError("usage: main.js <name> <socket> [<database socket>]");

const app = name === "db" ? databaseApp() : httpApp(name, database);
const kept = new Map<string, Agent>();

function say(answer: AppAnswer): void {
  process.send?.(answer);
}

async function answerTo(request: AppRequest): Promise<AppAnswer> {
  const { id } = request;
  switch (request.kind) {
    case "http":
      return { id, result: await httpCall(request.call) };
    case "keep-open":
      return { id, result: await httpCall(request.call, connectionTo(request.call.socket)) };
    case "tcp":
      return { id, result: await tcpCall(request.call) };
    case "raw-tls":
      return { id, result: await rawTlsCall(request.call) };
    case "fetch-svid":
      return { id, identity: await fetchSvid(request.socket) };
    case "received":
      return { id, received: app.received };
  }
}

function connectionTo(socket: string): Agent {
  const agent = kept.get(socket) ?? openConnection();
  kept.set(socket, agent);
  return agent;
}

process.on("message", (request: AppRequest) => {
  answerTo(request).then(say, (error: unknown) => say({ id: request.id, failure: String(error) }));
});
// The app lives exactly as long as the process that drives it; Ctrl-C in the terminal is for that one to handle.
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});

app.server.listen(socketPath, () => {
  chmodSync(socketPath, 0o600);
  say({ kind: "ready" });
});
