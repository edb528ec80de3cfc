// One app of a demo mesh as a process of its own. It serves, and calls what whoever drives it tells it to call: the process that started it
// over Node's IPC channel, or the one that connects to its drive socket.
// Arguments: <mesh> <name> [--listen SOCKET]… [--peer NAME=SOCKET]… [--drive SOCKET] [--busy-every SECONDS]
import { parseArgs } from "node:util";
import { boutiqueApp, boutiqueTraffic } from "../boutique/apps.ts";
import { federatedApp, federatedTraffic } from "../federated/apps.ts";
import { shopApp, shopTraffic } from "../shop/apps.ts";
import { createAnswering } from "./answer.ts";
import type { AppServer, Peers } from "./app-server.ts";
import { serveDriveSocket } from "./drive-socket.ts";
import type { AppRequest } from "./messages.ts";
import { NO_TRAFFIC, startTraffic } from "./traffic.ts";

interface DemoApps {
  readonly app: (name: string, peers: Peers) => AppServer;
  readonly traffic: (name: string, peers: Peers) => (() => Promise<unknown>) | undefined;
}

const MESHES: ReadonlyMap<string, DemoApps> = new Map([
  ["shop", { app: shopApp, traffic: shopTraffic }],
  ["boutique", { app: boutiqueApp, traffic: boutiqueTraffic }],
  ["federated", { app: federatedApp, traffic: federatedTraffic }],
]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    listen: { type: "string", multiple: true, default: [] },
    peer: { type: "string", multiple: true, default: [] },
    drive: { type: "string" },
    "busy-every": { type: "string" },
  },
});
const [meshName = "", name = ""] = positionals;
const demo = MESHES.get(meshName);
if (demo === undefined || name === "") throw new TypeError("usage: main.js <shop|boutique|federated> <name> [options]");

const peers: Peers = new Map(values.peer.map((each) => splitPeer(each)));
const app = demo.app(name, peers);
const round = demo.traffic(name, peers);
const every = values["busy-every"];
const traffic =
  every === undefined || round === undefined
    ? NO_TRAFFIC
    : startTraffic(round, Number(every), (state) => process.stdout.write(`${name}: ${state}\n`));
const answer = createAnswering(app, traffic);
for (const socket of values.listen) await app.listen(socket);
if (values.drive !== undefined) await serveDriveSocket(values.drive, answer, traffic);
if (process.send !== undefined) answerParent();
else for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));

function splitPeer(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

function answerParent(): void {
  process.on("message", (request: AppRequest) => void answer(request).then((each) => process.send?.(each)));
  // The app lives exactly as long as the process that drives it; Ctrl-C in the terminal is for that one to handle.
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
  process.send?.({ kind: "ready" });
}
