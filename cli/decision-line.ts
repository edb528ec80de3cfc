import type { LogRecord } from "../ext-authz/index.ts";
import type { Output } from "./io.ts";
import { paint } from "./screen.ts";

/** One record of the decision log as a line for a screen: time, verdict, who, what, why. Its texts are printable already. */
export function decisionLine(record: LogRecord, output: Pick<Output, "color">): string {
  const time = record.time.slice(11, 23);
  if (record.kind !== "decision") {
    return `${time} ${paint(output, "red", "refuse")} ${record.workload} ${record.reason}, by the sidecar itself`;
  }
  const { verdict, evaluated, caller, destination, line, detail, reason } = record;
  const relaxed = verdict === "allow" && evaluated === "deny";
  const word = relaxed
    ? paint(output, "yellow", "would deny")
    : paint(output, verdict === "allow" ? "green" : "red", verdict);
  const why = [reason, ...(detail === undefined ? [] : [`(${detail})`]), ...(line === undefined ? [] : [line])].join(
    " ",
  );
  return `${time} ${word} ${shortName(caller ?? "anonymous")} -> ${shortName(destination)} ${requestText(record)} · ${why}`;
}

function requestText(record: Extract<LogRecord, { readonly kind: "decision" }>): string {
  if (record.method === undefined) return `tcp ${record.listenerPort}`;
  return `${record.upgrade === undefined ? record.method : record.upgrade} ${record.path ?? "(path refused)"}`;
}

/** `shop/web` of `spiffe://shop.example/shop/web`. */
function shortName(identity: string): string {
  return identity.replace(/^spiffe:\/\/[^/]+\//, "");
}
