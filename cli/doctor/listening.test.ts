import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { isLoopback, parseListening } from "./listening.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 100 0 0 10 0`;
const TABLE6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  33 0 4
   1: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  33 0 4
   2: 0000000000000000FFFF00000100007F:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  33 0 4`;

describe("parseListening", () => {
  it("reads listening sockets of either family and passes over connections", () => {
    expect([...parseListening(TABLE), ...parseListening(TABLE6)]).toEqual([
      { address: "127.0.0.1", port: 8080, uid: 1000 },
      { address: "0.0.0.0", port: 80, uid: 0 },
      { address: "::", port: 8081, uid: 33 },
      { address: "::1", port: 8082, uid: 33 },
      { address: "127.0.0.1", port: 8083, uid: 33 },
    ]);
  });

  it("tells what only this host reaches", () => {
    expect(["127.0.0.1", "127.8.8.8", "::1"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "10.0.0.1", "fe80:0:0:0:0:0:0:1"].some(isLoopback)).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("sees a server of this process (on Linux)", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(parseListening(readFileSync("/proc/net/tcp", "utf8"))).toContainEqual({
      address: "127.0.0.1",
      port,
      uid: process.getuid?.(),
    });
    await new Promise((resolve) => server.close(resolve));
  });
});
