import { connect } from "node:tls";
import express, { type Express } from "express";
import { describe, expect, it, vi } from "vitest";
import type { CaChange } from "../ca/index.ts";
import { createTestCa } from "../spiffe/testing/index.ts";
import { type ServerOptions, startServer } from "./server.ts";
import { until } from "./testing/harness.ts";

const testCa = createTestCa({ trustDomain: "shop.example" });

/** Issues certificates that live for as long as told; the first `failures` renewals fail. */
function issuer(lifeMs: number, failures = 0) {
  const heard = new Set<(what: CaChange) => void>();
  const problems: unknown[] = [];
  let issued = 0;
  const issueSystemSvid: ServerOptions["ca"]["issueSystemSvid"] = async (id) => {
    issued += 1;
    if (issued > 1 && issued <= 1 + failures) throw new Error("the store is away");
    return testCa.issue({ uris: [id.toString()], notAfter: new Date(Date.now() + lifeMs) }).svid();
  };
  const { trustDomain } = testCa;
  const options: ServerOptions & { readonly app: Express } = {
    app: express(),
    ca: {
      trustDomain,
      trustBundle: () => testCa.bundle(),
      crossCertificates: () => [],
      issueSystemSvid,
      subscribe: (listener) => {
        heard.add(listener);
        return () => void heard.delete(listener);
      },
    },
    clock: () => new Date(),
    names: new Set(),
    renewalFailed: (error) => problems.push(error),
  };
  const tell = (what: CaChange): void => {
    for (const listener of heard) listener(what);
  };
  return { options, problems, heard, tell };
}

function serialOf(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ca: testCa.rootPem, checkServerIdentity: () => undefined });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
  });
}

describe("startServer", () => {
  it("renews its certificate at half its life, while it serves", async () => {
    const { options } = issuer(4_000);
    const server = await startServer(options, { host: "127.0.0.1", port: 0 });
    try {
      const first = await serialOf(server.port);
      await until("another certificate is shown", async () => (await serialOf(server.port)) !== first);
    } finally {
      await server.close();
    }
  });

  it("renews its certificate at once when another authority signs, and hears no more once it is closed", async () => {
    const { options, heard, tell } = issuer(3_600_000);
    const server = await startServer(options, { host: "127.0.0.1", port: 0 });
    try {
      const first = await serialOf(server.port);
      tell("trust-bundle");
      expect(await serialOf(server.port)).toBe(first);
      tell("signing");
      await until("another certificate is shown", async () => (await serialOf(server.port)) !== first);
    } finally {
      await server.close();
    }
    expect(heard.size).toBe(0);
  });

  it("says so when a renewal fails, and goes on with what it has", async () => {
    const { options, problems } = issuer(3_000, 1);
    const server = await startServer(options, { host: "127.0.0.1", port: 0 });
    try {
      const first = await serialOf(server.port);
      await until("the failure is told", () => problems.length === 1);
      expect(await serialOf(server.port)).toBe(first);
    } finally {
      await server.close();
    }
  });

  it("leaves no timer behind when it closes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const server = await startServer(issuer(60_000).options, { host: "127.0.0.1", port: 0 });
      expect(vi.getTimerCount()).toBe(1);
      await server.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("says which address is taken", async () => {
    const { options } = issuer(60_000);
    const server = await startServer(options, { host: "127.0.0.1", port: 0 });
    try {
      const taken = startServer(options, { host: "127.0.0.1", port: server.port });
      await expect(taken).rejects.toMatchObject({
        code: "ERR_AUTHORITY_LISTEN",
        message: `cannot listen on \`127.0.0.1:${server.port}\`: something else listens there`,
      });
    } finally {
      await server.close();
    }
  });

  it("waits for no idle or hanging connection when it closes", async () => {
    const { options } = issuer(60_000);
    options.app.get("/hang", () => undefined);
    const server = await startServer(options, { host: "127.0.0.1", port: 0 });
    const socket = connect({
      port: server.port,
      host: "127.0.0.1",
      ca: testCa.rootPem,
      checkServerIdentity: () => undefined,
    });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    socket.write("GET /hang HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    const gone = new Promise((resolve) => socket.once("close", resolve));
    const started = Date.now();
    await server.close();
    await gone;
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});
