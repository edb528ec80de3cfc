import { decisionLine } from "../decision-line.ts";
import type { Output } from "../io.ts";
import { lines } from "../screen.ts";
import { appOf, type Stage } from "./step.ts";

const TRAFFIC_EVERY_MS = 2_000;

/** Lets web and the intruder go on calling, and prints each decision as it falls, until the returned function is called. */
export function followLive(stage: Stage, output: Output): () => void {
  const unfollow = stage.mesh.records.follow((record) => {
    lines(output, `  ${decisionLine(record, output)}`);
  });
  const call = (from: string, path: string): void => {
    const socket = stage.mesh.callSocket(from, "orders");
    appOf(stage, from)
      .http({ socket, method: "GET", path })
      .catch(() => {});
  };
  const timer = setInterval(() => {
    call("web", "/orders/42");
    call("intruder", "/orders/7");
  }, TRAFFIC_EVERY_MS);
  return () => {
    clearInterval(timer);
    unfollow();
  };
}
