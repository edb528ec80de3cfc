import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatTrustBundle, parseTrustDomain, type TrustBundle } from "../../spiffe/index.ts";
import { createTestCa, type TestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { addWorkloadApi, type WorkloadState } from "../../spiffe/workload-api/index.ts";
import { MonotonicClock, systemClock } from "../monotonic-clock.ts";
import { capturingLogger, until } from "../testing/capture.ts";
import { followBundle } from "./bundle-follower.ts";
import { type BundleLocation, readExternalBundle } from "./external-bundle.ts";
import { ExternalTrust } from "./external-trust.ts";
import { StateDir } from "./state-dir.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { TrustStore } from "./trust-store.ts";

const own = createTestCa({ trustDomain: "cluster.local" });
const istio = createTestCa({ trustDomain: "cluster.local" });
const next = createTestCa({ trustDomain: "cluster.local" });
const trustDomain = parseTrustDomain("cluster.local");
/** Waits are short here, whatever the follower asks for. */
const hasty: Timers = { ...systemTimers, sleep: (_ms, signal) => systemTimers.sleep(20, signal) };

let folder = "";
const closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

function start(ca?: string) {
  const files = new StateDir(join(folder, "agent"));
  const trust = new TrustStore(files);
  trust.restore();
  if (trust.state === undefined) trust.begin(trustDomain, formatTrustBundle(own.bundle()));
  const seen = { changes: 0 };
  const log = capturingLogger();
  const external = new ExternalTrust({
    files,
    trust,
    log,
    timers: hasty,
    clock: new MonotonicClock(systemClock()),
    changed: () => {
      seen.changes += 1;
    },
    follow: (location, follower) => followBundle(location, { ...follower, ...(ca === undefined ? {} : { ca }) }),
  });
  closers.push(() => external.close());
  const believed = (): TrustBundle | undefined => trust.workloads?.bundles.get(trustDomain);
  const believes = (ca: TestCa): Promise<void> =>
    until("the bundle is in force", () => believed()?.x509Authorities[0]?.raw.equals(ca.root.raw) ?? false);
  return { external, trust, believed, believes, seen, log };
}

const problemOf = (external: ExternalTrust): string => external.status()?.problem ?? "";

describe("another authority's trust bundle", () => {
  it("takes the own one's place for workloads, and for nothing else", async () => {
    const path = join(folder, "root-cert.pem");
    writeFileSync(path, istio.rootPem);
    const { external, trust, believes } = start();
    external.use({ file: path });
    await believes(istio);
    expect(trust.own?.x509Authorities[0]?.raw.equals(own.root.raw)).toBe(true);
    expect(external.status()).toMatchObject({ source: `file ${path}`, authorities: 1 });
    external.use(undefined);
    expect([trust.workloads, external.status()]).toEqual([trust.state, undefined]);
  });

  it("lets workloads believe nobody until it is there, not the own authority meanwhile", async () => {
    const { external, trust } = start();
    external.use({ file: join(folder, "missing.pem") });
    expect(trust.workloads).toBeUndefined();
    await until("the problem", () => problemOf(external).includes("ENOENT"));
    expect(trust.workloads).toBeUndefined();
  });

  it("follows its file, keeps the last good one of a file that is gone or broken, and says so", async () => {
    const path = join(folder, "root-cert.pem");
    writeFileSync(path, istio.rootPem);
    const { external, believed, believes, seen, log } = start();
    external.use({ file: path });
    await believes(istio);
    const leaf = istio.issue({ uris: ["spiffe://cluster.local/ns/a/sa/b"] }).certPem;
    for (const [text, problem] of [
      ["nothing", /certificate/i],
      ["{", /JSON/],
      [leaf, /no CA's certificate/],
    ] as const) {
      writeFileSync(path, text);
      await until(`the problem of ${text}`, () => problem.test(problemOf(external)));
      expect(believed()?.x509Authorities[0]?.raw.equals(istio.root.raw)).toBe(true);
    }
    expect(log.lines.filter(({ level }) => level === "error").length).toBeGreaterThanOrEqual(3);
    rmSync(path);
    await until("the problem", () => problemOf(external).includes("ENOENT"));
    writeFileSync(join(folder, "new"), istio.rootPem + next.rootPem);
    renameSync(join(folder, "new"), path);
    await until("both roots", () => believed()?.x509Authorities.length === 2);
    expect([problemOf(external), seen.changes]).toEqual(["", 3]);
  });

  it("comes over the SPIFFE Workload API, and follows it", async () => {
    const listeners = new Set<() => void>();
    const state = (ca: TestCa): WorkloadState => ({
      kind: "present",
      svid: ca.issue({ uris: ["spiffe://cluster.local/agent"] }).svid(),
      trust: { trustDomain, bundles: new Map([[trustDomain, ca.bundle()]]) },
    });
    let current = state(istio);
    const server = new Server();
    addWorkloadApi(server, {
      now: () => new Date(),
      get state() {
        return current;
      },
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    const path = join(folder, "api.sock");
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    closers.push(() => server.forceShutdown());
    const { external, believes } = start();
    external.use({ workloadApi: `unix:${path}` });
    await believes(istio);
    current = state(next);
    for (const listener of listeners) listener();
    await believes(next);
  });

  it("is kept over a restart, for the same place only", async () => {
    const path = join(folder, "root-cert.pem");
    writeFileSync(path, istio.rootPem);
    const first = start();
    first.external.use({ file: path });
    await first.believes(istio);
    first.external.close();
    rmSync(path);
    const second = start();
    second.external.use({ file: path });
    expect(second.believed()?.x509Authorities[0]?.raw.equals(istio.root.raw)).toBe(true);
    const elsewhere: BundleLocation = { file: join(folder, "other.pem") };
    second.external.use(elsewhere);
    expect(second.trust.workloads).toBeUndefined();
  });
});

describe("another authority's trust bundle at a URL", () => {
  const web = createTestCa({ trustDomain: "web.example" });
  const leaf = (name: string, notAfter?: Date) =>
    web.issue({ uris: [], dns: [name], ...(notAfter === undefined ? {} : { notAfter }) });
  type Answer = (response: ServerResponse) => unknown;
  const text =
    (body: string, status = 200): Answer =>
    (response) =>
      response.writeHead(status).end(body);

  /** An HTTPS server on localhost whose answer and certificate the test changes. */
  async function serve(first: Answer) {
    let answer = first;
    const own = leaf("localhost");
    const server = createServer({ cert: own.chainPem, key: own.keyPem }, (_request, response) => answer(response));
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    return {
      url: `https://localhost:${port}/bundle`,
      answer: (next: Answer) => {
        answer = next;
      },
      show: ({ chainPem, keyPem }: TestCertificate) => server.setSecureContext({ cert: chainPem, key: keyPem }),
    };
  }

  it("is taken as PEM, as a bundle document and as a map of them, and followed", async () => {
    const server = await serve(text(istio.rootPem));
    const { external, believes } = start(web.rootPem);
    external.use({ url: server.url });
    await believes(istio);
    expect(external.status()).toMatchObject({ source: `url ${server.url}`, authorities: 1 });
    server.answer(text(formatTrustBundle(next.bundle())));
    await believes(next);
    const map = { trust_domains: { "cluster.local": JSON.parse(formatTrustBundle(istio.bundle())) } };
    server.answer(text(JSON.stringify(map)));
    await believes(istio);
  });

  it("keeps the last good one, and says why, while the server fails or is not the one that was named", async () => {
    const server = await serve(text(istio.rootPem));
    const { external, believed, believes, seen } = start(web.rootPem);
    external.use({ url: server.url });
    await believes(istio);
    const changes = seen.changes;
    const rotated = text(next.rootPem);
    const stranger = createTestCa({ trustDomain: "web.example" }).issue({ uris: [], dns: ["localhost"] });
    const failures: readonly (readonly [Answer, TestCertificate, RegExp])[] = [
      [text("gone", 404), leaf("localhost"), /HTTP status 404/],
      [text("x".repeat(5 * 1024 * 1024)), leaf("localhost"), /larger than 4 MiB/],
      [text("nothing"), leaf("localhost"), /certificate/],
      [(response) => response.destroy(), leaf("localhost"), /no answer from/],
      [
        (response) => response.writeHead(302, { location: "http://localhost:1/" }).end(),
        leaf("localhost"),
        /no https URL/,
      ],
      [rotated, stranger, /is not trusted/],
      [rotated, leaf("other.example"), /altnames/],
      [rotated, leaf("localhost", new Date(Date.now() - 1000)), /expired/],
    ];
    for (const [answer, shown, problem] of failures) {
      server.answer(answer);
      server.show(shown);
      await until(`the problem ${problem}`, () => problem.test(problemOf(external)));
      expect(problemOf(external)).toContain(server.url);
    }
    expect(believed()?.x509Authorities[0]?.raw.equals(istio.root.raw)).toBe(true);
    expect(seen.changes).toBe(changes);
    const stale = external.status()?.readAt ?? "";
    server.show(leaf("localhost"));
    await believes(next);
    expect(problemOf(external)).toBe("");
    expect(Date.parse(external.status()?.readAt ?? "")).toBeGreaterThan(Date.parse(stale));
  });

  it("is waited for while the server is away, and believed over its absence once there has been one", async () => {
    const server = await serve(text(istio.rootPem));
    const first = start(web.rootPem);
    first.external.use({ url: server.url });
    await first.believes(istio);
    first.external.close();
    server.answer(text("later", 503));
    const second = start(web.rootPem);
    second.external.use({ url: server.url });
    expect(second.believed()?.x509Authorities[0]?.raw.equals(istio.root.raw)).toBe(true);
    second.external.use({ url: `${server.url}/other` });
    expect(second.trust.workloads).toBeUndefined();
    await until("the problem", () => problemOf(second.external).includes("HTTP status 503"));
    expect(second.trust.workloads).toBeUndefined();
    server.answer(text(next.rootPem));
    await second.believes(next);
  });
});

describe("readExternalBundle", () => {
  it("takes no bundle of another trust domain", () => {
    const document = JSON.parse(formatTrustBundle(istio.bundle()));
    const map = JSON.stringify({ trust_domains: { "other.local": document } });
    expect(readExternalBundle(trustDomain, map)).toMatchObject({ ok: false });
  });
});
