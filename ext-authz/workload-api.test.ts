import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type Server,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestCa } from "../spiffe/testing/index.ts";
import { workloadApi } from "../spiffe/workload-api/index.ts";
import { bindUnix, closeServer, grpcServer } from "./check-server.ts";
import { until } from "./testing/capture.ts";
import { addWorkloadApi } from "./workload-api.ts";
import { WorkloadIdentity } from "./workload-identity.ts";

const root = createTestCa({ trustDomain: "shop.example" });
const ca = root.intermediate();
const partner = createTestCa({ trustDomain: "partner.example" });
const trust = {
  trustDomain: root.trustDomain,
  bundles: new Map([
    [partner.trustDomain, partner.bundle()],
    [root.trustDomain, root.bundle()],
  ]),
};
const web = () => ca.issue({ uris: ["spiffe://shop.example/shop/web"] }).svid();

let folder = "";
let server: Server;
let client: Client;
let identity: WorkloadIdentity;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  const path = join(folder, "workload.sock");
  identity = new WorkloadIdentity();
  server = grpcServer({ maxReceiveBytes: 65_536 });
  addWorkloadApi(server, identity);
  await bindUnix(server, path);
  client = new Client(`unix:${path}`, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await closeServer(server, 0);
  rmSync(folder, { recursive: true, force: true });
});

const { SpiffeWorkloadAPIService: service } = workloadApi;
const header = (value: string | undefined = "true"): Metadata => {
  const metadata = new Metadata();
  metadata.set("workload.spiffe.io", value);
  return metadata;
};

/** Collects what a stream brings. */
function collect<T>(stream: ClientReadableStream<T>) {
  const seen: { messages: T[]; error: ServiceError | undefined } = { messages: [], error: undefined };
  stream.on("data", (message: T) => seen.messages.push(message));
  stream.on("error", (error: ServiceError) => {
    seen.error = error;
  });
  return seen;
}

function svids(metadata = header()) {
  const { path, requestSerialize, responseDeserialize } = service.fetchX509Svid;
  return collect(client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata));
}

function bundles(metadata = header()) {
  const { path, requestSerialize, responseDeserialize } = service.fetchX509Bundles;
  return collect(client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata));
}

describe("FetchX509SVID", () => {
  it("brings the chain, the key that fits it, and the trust bundles at once", async () => {
    const svid = web();
    identity.set({ kind: "present", svid, trust });
    const seen = svids();
    await until("the first message", () => seen.messages.length === 1);
    const [first] = seen.messages[0]?.svids ?? [];
    expect(first?.spiffeId).toBe("spiffe://shop.example/shop/web");
    const chain = Buffer.from(first?.x509Svid ?? []);
    expect(chain.equals(Buffer.concat(svid.chain.map((link) => link.raw)))).toBe(true);
    const key = createPrivateKey({ key: Buffer.from(first?.x509SvidKey ?? []), format: "der", type: "pkcs8" });
    expect(new X509Certificate(chain).checkPrivateKey(key)).toBe(true);
    expect(Buffer.from(first?.bundle ?? []).equals(root.root.raw)).toBe(true);
    expect(
      [...(seen.messages[0]?.federatedBundles ?? [])].map(([name, der]) => [
        name,
        Buffer.from(der).equals(partner.root.raw),
      ]),
    ).toEqual([["spiffe://partner.example", true]]);
  });

  it("pushes a rotated certificate", async () => {
    identity.set({ kind: "present", svid: web(), trust });
    const seen = svids();
    await until("the first message", () => seen.messages.length === 1);
    const next = web();
    identity.set({ kind: "present", svid: next, trust });
    await until("the second message", () => seen.messages.length === 2);
    expect(new X509Certificate(Buffer.from(seen.messages[1]?.svids[0]?.x509Svid ?? [])).fingerprint256).toBe(
      next.chain[0]?.fingerprint256,
    );
    expect(seen.messages[1]?.svids).toHaveLength(1);
  });

  it("answers UNAVAILABLE before the identity is there, PERMISSION_DENIED where there is none", async () => {
    const early = svids();
    await until("an error", () => early.error !== undefined);
    expect(early.error?.code).toBe(status.UNAVAILABLE);
    identity.set({ kind: "none", reason: "the node may not run it" });
    const none = svids();
    await until("an error", () => none.error !== undefined);
    expect(none.error?.code).toBe(status.PERMISSION_DENIED);
    expect(none.error?.details).not.toContain("node");
  });

  it("ends with PERMISSION_DENIED when the identity is withdrawn", async () => {
    identity.set({ kind: "present", svid: web(), trust });
    const seen = svids();
    await until("the first message", () => seen.messages.length === 1);
    identity.set({ kind: "none", reason: "the identity is revoked" });
    await until("an error", () => seen.error !== undefined);
    expect(seen.error?.code).toBe(status.PERMISSION_DENIED);
  });

  it.each([undefined, "false", "True", "1"])(
    "refuses the security header `%s` with INVALID_ARGUMENT",
    async (value) => {
      identity.set({ kind: "present", svid: web(), trust });
      const metadata = value === undefined ? new Metadata() : header(value);
      for (const seen of [svids(metadata), bundles(metadata)]) {
        await until("an error", () => seen.error !== undefined);
        expect(seen.error?.code).toBe(status.INVALID_ARGUMENT);
        expect(seen.messages).toEqual([]);
      }
    },
  );

  it("goes on serving others when one stream is cancelled", async () => {
    identity.set({ kind: "present", svid: web(), trust });
    const { path, requestSerialize, responseDeserialize } = service.fetchX509Svid;
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, header());
    const gone = collect(stream);
    const stays = svids();
    await until("both first messages", () => gone.messages.length + stays.messages.length === 2);
    stream.cancel();
    await until("the cancellation", () => gone.error !== undefined);
    identity.set({ kind: "present", svid: web(), trust });
    await until("a second message", () => stays.messages.length === 2);
  });
});

describe("FetchX509Bundles", () => {
  it("brings every trust domain under its SPIFFE ID, the own one included", async () => {
    identity.set({ kind: "present", svid: web(), trust });
    const seen = bundles();
    await until("the first message", () => seen.messages.length === 1);
    expect([...(seen.messages[0]?.bundles.keys() ?? [])].sort()).toEqual([
      "spiffe://partner.example",
      "spiffe://shop.example",
    ]);
    identity.set({
      kind: "present",
      svid: web(),
      trust: { ...trust, bundles: new Map([[root.trustDomain, root.bundle()]]) },
    });
    await until("the second message", () => seen.messages.length === 2);
    expect([...(seen.messages[1]?.bundles.keys() ?? [])]).toEqual(["spiffe://shop.example"]);
  });
});

describe("JWT methods", () => {
  it("answer UNIMPLEMENTED", async () => {
    identity.set({ kind: "present", svid: web(), trust });
    const unary = (path: string): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        client.makeUnaryRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.alloc(0),
          header(),
          (error) => resolve(error),
        );
      });
    for (const path of [service.fetchJwtsvid.path, service.validateJwtsvid.path]) {
      expect((await unary(path))?.code).toBe(status.UNIMPLEMENTED);
    }
    const { path, requestSerialize, responseDeserialize } = service.fetchJwtBundles;
    const seen = collect(client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, header()));
    await until("an error", () => seen.error !== undefined);
    expect(seen.error?.code).toBe(status.UNIMPLEMENTED);
  });
});
