import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { listeningPorts, openPorts } from "./open-ports.ts";

async function listening(host: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, close: () => server.close() };
}

describe("openPorts", () => {
  it("tells a port that accepts from one that does not", async () => {
    const [open, closed] = [await listening("127.0.0.1"), await listening("127.0.0.1")];
    closed.close();
    expect(await openPorts("127.0.0.1", [open.port, closed.port])).toEqual([open.port]);
    open.close();
  });
});

describe.runIf(process.platform === "linux")("listeningPorts (Linux: it reads /proc/net)", () => {
  it("has what others can reach, and nothing of loopback", async () => {
    const [everywhere, loopback] = [await listening("0.0.0.0"), await listening("127.0.0.1")];
    expect(listeningPorts()).toContain(everywhere.port);
    expect(listeningPorts()).not.toContain(loopback.port);
    everywhere.close();
    loopback.close();
  });
});
