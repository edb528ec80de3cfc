import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A loopback address for each of `count` workloads, so that each can have its ports to itself.
 * Linux routes all of 127.0.0.0/8 to the host: a random block of it is taken, so that two meshes on one host don't meet.
 * Elsewhere only 127.0.0.1 is there, and the workloads share it.
 */
export async function loopbackAddresses(count: number): Promise<readonly string[]> {
  const block = `127.${randomInt(16, 250)}.${randomInt(1, 250)}`;
  if (count < 250 && (await canBind(`${block}.1`)))
    return Array.from({ length: count }, (_, index) => `${block}.${index + 1}`);
  return Array.from({ length: count }, () => "127.0.0.1");
}

function canBind(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(0, host, () => probe.close(() => resolve(true)));
  });
}
