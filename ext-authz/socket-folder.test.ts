import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closeSocketFolder, isRoot, openSocketFolder, prepareRunDir, removeSocketFolder } from "./socket-folder.ts";
import { type SocketPaths, socketPaths } from "./socket-paths.ts";

let runDir = "";
let paths: SocketPaths;
const servers: Server[] = [];
beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), "cw-"));
  paths = socketPaths(runDir, { namespace: "shop", name: "orders" });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  rmSync(runDir, { recursive: true, force: true });
});

describe("the socket folder", () => {
  it("is 0700 with sockets of 0600", async () => {
    await closeSocketFolder(paths);
    for (const path of Object.values(paths)) await listen(path);
    openSocketFolder(paths, undefined);
    expect(statSync(dirname(paths.authz)).mode & 0o777).toBe(0o700);
    for (const path of Object.values(paths)) expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.skipIf(!isRoot())(
    "belongs to the workload's uid when the agent is root, and is taken back at the next start (needs root: it gives files away)",
    async () => {
      await closeSocketFolder(paths);
      for (const path of Object.values(paths)) await listen(path);
      openSocketFolder(paths, 4711);
      for (const path of [dirname(paths.authz), ...Object.values(paths)]) expect(statSync(path).uid).toBe(4711);
      await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
      await closeSocketFolder(paths);
      expect(statSync(dirname(paths.authz)).uid).toBe(0);
    },
  );

  it("removes a socket that nobody answers on, and refuses one that somebody serves", async () => {
    mkdirSync(dirname(paths.authz));
    writeFileSync(paths.authz, "left behind");
    await closeSocketFolder(paths);
    expect(existsSync(paths.authz)).toBe(false);
    await listen(paths.envoy);
    await expect(closeSocketFolder(paths)).rejects.toMatchObject({ code: "ERR_AGENT_SOCKET_IN_USE" });
    expect(existsSync(paths.envoy)).toBe(true);
  });

  it("refuses a folder that is a symbolic link", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "cw-"));
    symlinkSync(elsewhere, dirname(paths.authz));
    await expect(closeSocketFolder(paths)).rejects.toMatchObject({ code: "ERR_AGENT_RUN_DIR" });
    rmSync(elsewhere, { recursive: true });
  });

  it("goes with its sockets", async () => {
    await closeSocketFolder(paths);
    await listen(paths.authz);
    removeSocketFolder(paths);
    expect(existsSync(dirname(paths.authz))).toBe(false);
    removeSocketFolder(paths);
  });
});

describe("the run folder", () => {
  it("is closed to others unless sockets of other users lie below it", () => {
    prepareRunDir(runDir, { otherUsers: false });
    expect(statSync(runDir).mode & 0o777).toBe(0o700);
    prepareRunDir(runDir, { otherUsers: true });
    expect(statSync(runDir).mode & 0o777).toBe(0o711);
  });

  it("is refused where it is a file", () => {
    const file = join(runDir, "file");
    writeFileSync(file, "");
    expect(() => prepareRunDir(file, { otherUsers: false })).toThrow(/cannot be used/);
  });
});

function listen(path: string): Promise<void> {
  return new Promise((resolve) => {
    const server = createServer();
    servers.push(server);
    server.listen(path, () => resolve());
  });
}
