import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { connect, isIP } from "node:net";

const TIMEOUT_MS = 2_000;
const LISTENING = "0A";

/** Which of these TCP ports of a host accept a connection, in the given order. Rejects where nobody knows the name. */
export async function openPorts(host: string, ports: readonly number[]): Promise<readonly number[]> {
  const address = await addressOf(host);
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

/**
 * Asks the name servers itself. The system's resolver goes on asking for long where none is reached, and two such questions keep every
 * other name of this process waiting.
 */
async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    const [address] = await new Resolver({ timeout: TIMEOUT_MS, tries: 1 }).resolve4(host);
    if (address !== undefined) return address;
  } catch (error) {
    throw new Error(`ENOTFOUND: nobody knows the name ${host}`, { cause: error });
  }
  throw new Error(`ENOTFOUND: the name ${host} has no address`);
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
