import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below those that systems give to outgoing connections: Linux from 32768, others from 49152. */
const FIRST = 10_000;
const BEHIND = 32_000;

/** Free TCP ports of the loopback interface, which no outgoing connection takes before they are used. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(FIRST, BEHIND);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
