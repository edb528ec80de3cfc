import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { AppAnswer } from "../app/messages.ts";
import { Conversation, type DemoApp } from "./demo-app.ts";

/** Connects to an app that runs already, over its drive socket; rejects where nobody listens there. */
export async function connectApp(name: string, driveSocket: string): Promise<DemoApp> {
  const peer = connect(driveSocket);
  await once(peer, "connect");
  const conversation = new Conversation(name, (request) => peer.write(`${JSON.stringify(request)}\n`));
  createInterface({ input: peer }).on("line", (line) => conversation.answered(parseAnswer(line)));
  peer.on("error", () => peer.destroy());
  peer.once("close", () => conversation.ended());
  return conversation.app(async () => void peer.destroy());
}

function parseAnswer(line: string): AppAnswer {
  return JSON.parse(line) as AppAnswer;
}
