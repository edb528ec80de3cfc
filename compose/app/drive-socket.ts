import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Answering } from "./answer.ts";
import { listenOn } from "./app-server.ts";
import type { AppRequest } from "./messages.ts";
import type { Traffic } from "./traffic.ts";

/**
 * Lets whoever can open the socket drive the app: one request a line, one answer a line, as JSON. The app's own traffic pauses when it is
 * asked to and goes on when the connection ends.
 */
export function serveDriveSocket(socket: string, answer: Answering, traffic: Traffic): Promise<void> {
  const server = createServer((peer) => {
    peer.on("error", () => peer.destroy());
    peer.once("close", () => traffic.resume());
    createInterface({ input: peer }).on("line", (line) => {
      void answer(parseRequest(line)).then((each) => peer.write(`${JSON.stringify(each)}\n`));
    });
  });
  return listenOn(server, socket);
}

function parseRequest(line: string): AppRequest {
  return JSON.parse(line) as AppRequest;
}
