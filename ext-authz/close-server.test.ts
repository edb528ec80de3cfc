import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "vitest";
import { bindUnix, closeServer, grpcServer } from "./check-server.ts";

it("stops a server though a client holds a stream open", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const path = join(folder, "s.sock");
  const server = grpcServer({ maxReceiveBytes: 1_000 });
  server.addService(
    { hold: { path: "/t/hold", requestStream: true, responseStream: true, ...identityCodec() } },
    { hold: (call: { write(chunk: Buffer): void }) => call.write(Buffer.from("x")) },
  );
  await bindUnix(server, path);
  const client = connect("http://localhost", { createConnection: () => connectSocket(path) });
  client.on("error", () => {});
  const stream = client.request({
    ":method": "POST",
    ":path": "/t/hold",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("data", resolve));
  const ended = new Promise((resolve) => client.once("close", resolve));
  await closeServer(server, 50);
  await ended;
  client.destroy();
  rmSync(folder, { recursive: true, force: true });
});

function identityCodec() {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}
