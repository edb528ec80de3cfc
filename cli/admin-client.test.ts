import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createTestCa } from "../spiffe/testing/index.ts";
import { ask, authorityAccess } from "./admin-client.ts";
import { CliError } from "./cli-error.ts";
import { capturedIo } from "./testing/captured-io.ts";
import { useTempFolder } from "./testing/temp-folder.ts";

const ca = createTestCa({ trustDomain: "shop.example" });
const word = z.strictObject({ word: z.string() });

describe("ask", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  /** A server with a certificate for these identities; keeps the tokens that it is given. */
  async function serve(uris: readonly string[], answer: { readonly status: number; readonly body: string }, root = ca) {
    const tokens: (string | undefined)[] = [];
    const { chainPem, keyPem } = root.issue({ uris: [...uris] });
    const server = createServer({ key: keyPem, cert: chainPem }, (request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { access: { url: `https://127.0.0.1:${port}`, token: "secret", rootPem: ca.rootPem }, tokens };
  }

  const AUTHORITY = ["spiffe://shop.example/cellwall/authority"];
  const question = { method: "GET", path: "/v1/x", answer: word } as const;
  const outcome = async (asked: Promise<unknown>): Promise<unknown> =>
    asked.catch((error: unknown) => (error instanceof CliError ? [error.code, error.message] : error));

  it("gives the answer of the authority", async () => {
    const { access, tokens } = await serve(AUTHORITY, { status: 200, body: '{"word":"hi"}' });
    expect(await ask(access, question)).toEqual({ word: "hi" });
    expect(tokens).toEqual(["Bearer secret"]);
  });

  it.each([
    ["a workload of the same mesh", ["spiffe://shop.example/shop/web"], ca],
    ["an agent of the same mesh", ["spiffe://shop.example/cellwall/agent/host-1"], ca],
    ["two identities", [...AUTHORITY, "spiffe://shop.example/shop/web"], ca],
    ["an authority of another root", AUTHORITY, createTestCa({ trustDomain: "shop.example" })],
  ] as const)("shows the token to nobody else: %s", async (_who, uris, root) => {
    const { access, tokens } = await serve(uris, { status: 200, body: '{"word":"hi"}' }, root);
    expect(await outcome(ask(access, question))).toEqual([
      "ERR_CLI_NO_AUTHORITY",
      expect.stringContaining("does not answer"),
    ]);
    expect(tokens).toEqual([]);
  });

  it("tells a refusal from an answer that is none", async () => {
    const error = JSON.stringify({ error: { code: "ERR_CA_X", message: "no", hint: "ask" } });
    const refused = await serve(AUTHORITY, { status: 409, body: error });
    expect(await outcome(ask(refused.access, question))).toEqual(["ERR_CLI_REFUSED", "no"]);
    const strange = await serve(AUTHORITY, { status: 502, body: "<html>" });
    expect(await outcome(ask(strange.access, question))).toEqual([
      "ERR_CLI_NO_AUTHORITY",
      expect.stringContaining("status 502"),
    ]);
  });

  it("says that nothing listens", async () => {
    const { access } = await serve(AUTHORITY, { status: 200, body: "" });
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await outcome(ask(access, question))).toEqual([
      "ERR_CLI_NO_AUTHORITY",
      expect.stringContaining("nothing listens there"),
    ]);
  });
});

describe("authorityAccess", () => {
  const folder = useTempFolder();

  it("refuses an admin.json that it cannot read, and says where it is", () => {
    mkdirSync(join(folder(), "state/authority"), { recursive: true });
    writeFileSync(join(folder(), "state/authority/admin.json"), '{"url":1}');
    expect(() => authorityAccess({ state: "state" }, capturedIo(folder()))).toThrow("state/authority/admin.json");
  });

  it("needs token and root for an authority that does not run on the state folder", () => {
    const io = capturedIo(folder());
    expect(() => authorityAccess({ state: "state", authority: "https://x" }, io)).toThrow("`--token-file`");
    writeFileSync(join(folder(), "token"), "secret\n");
    const options = { state: "state", authority: "https://x", tokenFile: "token" };
    expect(() => authorityAccess(options, io)).toThrow("`--root-file`");
    expect(() => authorityAccess({ ...options, rootFile: "nowhere" }, io)).toThrow("cannot read `nowhere`");
    writeFileSync(join(folder(), "root.pem"), "PEM");
    expect(authorityAccess({ ...options, rootFile: "root.pem" }, io)).toEqual({
      url: "https://x",
      token: "secret",
      rootPem: "PEM",
    });
  });
});
