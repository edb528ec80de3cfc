import type { LogRecord } from "../../ext-authz/index.ts";
import type { Output } from "../io.ts";
import { paint } from "../screen.ts";
import { appOf, type Stage } from "./step.ts";

const TRAFFIC_EVERY_MS = 2_000;

/** Lets web and the intruder go on calling, and prints each decision as it falls, until the returned function is called. */
export function followLive(stage: Stage, output: Output): () => void {
  const unfollow = stage.mesh.records.follow((record) => {
    const refused = record.kind !== "decision" || record.verdict === "deny";
    output.write(`  ${paint(output, refused ? "red" : "green", liveLine(record))}\n`);
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

/** One line about one record, for a terminal: time, verdict, who, what, why. */
export function liveLine(record: LogRecord): string {
  const time = record.time.slice(11, 19);
  if (record.kind !== "decision") return `${time} refuse ${record.workload}: ${record.reason} (by the sidecar)`;
  const caller = shortName(record.caller ?? "anonymous");
  const what =
    record.method === undefined ? `tcp ${record.listenerPort}` : `${record.method} ${record.path ?? "(path refused)"}`;
  const rule = record.policy === undefined || record.rule === undefined ? "" : ` ${record.policy}/${record.rule}`;
  return `${time} ${record.verdict.padEnd(6)} ${caller} -> ${shortName(record.destination)} ${what} · ${record.reason}${rule} · ${record.tookMicros} µs`;
}

/** `shop/web` of `spiffe://shop.example/shop/web`. */
function shortName(identity: string): string {
  return identity.replace(/^spiffe:\/\/[^/]+\//, "");
}
