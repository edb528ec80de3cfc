import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CheckServer, MAX_CHECK_BYTES, startCheckServer } from "./check-server.ts";

let folder = "";
let path = "";
let server: CheckServer | undefined;
let client: Client;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  path = join(folder, "authz.sock");
  client = new Client(`unix:${path}`, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const asIs = (bytes: Buffer): Buffer => bytes;

function check(request: Buffer, method = "Check"): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const reply = (error: Error | null, response?: Buffer): void =>
      error === null && response !== undefined ? resolve(response) : reject(error);
    client.makeUnaryRequest(`/envoy.service.auth.v3.Authorization/${method}`, asIs, asIs, request, reply);
  });
}

describe("the Check server", () => {
  it("hands the handler the bytes of the request and the caller the bytes of the answer", async () => {
    server = await startCheckServer(path, (request) => Buffer.concat([request, Buffer.from("!")]));
    expect((await check(Buffer.from([0, 255, 7]))).equals(Buffer.from([0, 255, 7, 33]))).toBe(true);
  });

  it("answers many at once", async () => {
    server = await startCheckServer(path, asIs);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => check(Buffer.from(String(n)))));
    expect(answers.map(String)).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
  });

  it("answers with a gRPC error, which Envoy reads as 503, should a handler throw", async () => {
    server = await startCheckServer(path, () => {
      throw new Error("secret detail");
    });
    const error = await check(Buffer.alloc(1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: status.INTERNAL });
    expect(String(error)).not.toContain("secret detail");
  });

  it("refuses a request over the limit without asking the handler", async () => {
    let asked = 0;
    server = await startCheckServer(path, (request) => {
      asked += 1;
      return request;
    });
    await expect(check(Buffer.alloc(MAX_CHECK_BYTES + 1))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(asked).toBe(0);
  });

  it("serves nothing else", async () => {
    server = await startCheckServer(path, asIs);
    await expect(check(Buffer.alloc(1), "Other")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it("ends its connections when it closes", async () => {
    const started = await startCheckServer(path, asIs);
    await check(Buffer.from("a"));
    await started.close();
    await expect(check(Buffer.from("b"))).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});
