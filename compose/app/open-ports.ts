import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

const TIMEOUT_MS = 2_000;
const LISTENING = "0A";

/** Which of these TCP ports of a host accept a connection, in the given order. Rejects where nobody knows the name. */
export async function openPorts(host: string, ports: readonly number[]): Promise<readonly number[]> {
  const { address } = await Promise.race([lookup(host), unknownAfter(host, TIMEOUT_MS)]);
  const accepting = await Promise.all(ports.map((port) => accepts(address, port)));
  return ports.filter((_port, index) => accepting[index]);
}

/** Every TCP port that something listens on in this process' network namespace, where others can reach it; Linux. */
export function listeningPorts(tables: readonly string[] = ["/proc/net/tcp", "/proc/net/tcp6"]): readonly number[] {
  const ports = tables.flatMap((table) => {
    const rows = readFileSync(table, "utf8").trim().split("\n").slice(1);
    return rows.flatMap((row) => {
      const [, local = "", , state] = row.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      return state === LISTENING && !isLoopback(address) ? [Number.parseInt(port, 16)] : [];
    });
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Addresses are in the byte order of the machine, a word of four bytes at a time. */
function isLoopback(hex: string): boolean {
  return /^[0-9A-F]{6}7F$/.test(hex) || hex === "00000000000000000000000001000000";
}

/** A resolver that reaches no name server keeps trying for long. */
function unknownAfter(host: string, timeoutMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`ENOTFOUND: no answer about the name ${host}`)), timeoutMs).unref();
  });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
