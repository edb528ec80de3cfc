import type { LogRecord } from "../../ext-authz/index.ts";

/** One line about one record, for a terminal: time, verdict, who, what, why. */
export function liveLine(record: LogRecord): string {
  const time = record.time.slice(11, 19);
  if (record.kind !== "decision") return `${time} refuse ${record.workload}: ${record.reason} (by the sidecar)`;
  const caller = shortName(record.caller ?? "anonymous");
  const what =
    record.method === undefined ? `tcp ${record.listenerPort}` : `${record.method} ${record.path ?? "(path refused)"}`;
  const why = record.line === undefined ? record.reason : `${record.reason} ${record.line}`;
  return `${time} ${record.verdict.padEnd(6)} ${caller} -> ${shortName(record.destination)} ${what} · ${why} · ${record.tookMicros} µs`;
}

/** `shop/web` of `spiffe://shop.example/shop/web`. */
function shortName(identity: string): string {
  return identity.replace(/^spiffe:\/\/[^/]+\//, "");
}
