import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Answering } from "./answer.ts";
import { listenOn } from "./app-server.ts";
import type { AppRequest } from "./messages.ts";

/** Lets whoever can open the socket drive the app: one request a line, one answer a line, as JSON. */
export function serveDriveSocket(socket: string, answer: Answering): Promise<void> {
  const server = createServer((peer) => {
    peer.on("error", () => peer.destroy());
    createInterface({ input: peer }).on("line", (line) => {
      void answer(parseRequest(line)).then((each) => peer.write(`${JSON.stringify(each)}\n`));
    });
  });
  return listenOn(server, socket);
}

function parseRequest(line: string): AppRequest {
  return JSON.parse(line) as AppRequest;
}
