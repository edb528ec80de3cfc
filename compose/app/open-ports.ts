import { lookup } from "node:dns/promises";
import { connect } from "node:net";

const PORTS = 65_535;
const AT_ONCE = 400;
const TIMEOUT_MS = 2_000;

/** Every TCP port of a host that accepts a connection, in order. Rejects where the name leads nowhere. */
export async function openPorts(host: string): Promise<readonly number[]> {
  const { address } = await lookup(host);
  const open: number[] = [];
  let next = 1;
  const look = async (): Promise<void> => {
    while (next <= PORTS) {
      const port = next++;
      if (await accepts(address, port)) open.push(port);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return open.sort((a, b) => a - b);
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
