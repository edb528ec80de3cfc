import { createHash } from "node:crypto";
import {
  enrolAnswer,
  type FakeAnswer,
  type FakeAuthority,
  type FakeRequest,
  issueFor,
  startFakeAuthority,
} from "../../ext-authz/testing/fake-authority.ts";
import { ORDERS, type SignedMesh, signedMesh, WEB } from "../../ext-authz/testing/signed-mesh.ts";
import { parseMessage, type SignedEnvelope, svidsRequest } from "../../protocol/index.ts";
import { publicKeyFingerprint } from "../../spiffe/index.ts";

const NODE = "host-7";

/**
 * Stands for authorities that no sound one plays: it serves whatever the test signs, to a real agent, over real TLS.
 * What it serves may be changed at any time; an agent looks again twice a second.
 */
export interface ScriptedAuthority {
  readonly url: string;
  readonly joinToken: string;
  readonly mesh: SignedMesh;
  bundle: SignedEnvelope | undefined;
  revocations: SignedEnvelope | undefined;
  /** Bytes of a shard as they are served; those of `mesh.shards` by default. */
  shard: (sha256: string) => Buffer | undefined;
  close(): Promise<void>;
}

/** Starts one whose node runs `shop/orders` and `shop/web`. */
export async function startScriptedAuthority(): Promise<ScriptedAuthority> {
  const mesh = signedMesh();
  const scripted: { bundle?: SignedEnvelope; revocations?: SignedEnvelope; shard: ScriptedAuthority["shard"] } = {
    shard: (sha256) => mesh.shards.get(sha256),
  };
  const answer = (request: FakeRequest): FakeAnswer => answerTo(request, mesh, scripted);
  const server: FakeAuthority = await startFakeAuthority({
    chain: mesh.shown,
    privateKey: mesh.authority.privateKey,
    // Every route, shards included.
    routes: new Proxy({}, { get: () => answer }),
  });
  const fingerprint = publicKeyFingerprint(mesh.root.root);
  return Object.assign(scripted, {
    url: server.url,
    joinToken: `cwj1.0123456789abcdef.${"s".repeat(43)}.${fingerprint}`,
    mesh,
    bundle: undefined,
    revocations: undefined,
    close: () => server.close(),
  });
}

function answerTo(
  request: FakeRequest,
  mesh: SignedMesh,
  scripted: Pick<ScriptedAuthority, "shard"> & { bundle?: SignedEnvelope; revocations?: SignedEnvelope },
): FakeAnswer {
  const { headers, method, path } = request;
  const document = (value: unknown): FakeAnswer => documentAnswer(value, headers["if-none-match"]);
  if (path.startsWith("/v1/bundle/shards/")) {
    const body = scripted.shard(path.slice("/v1/bundle/shards/".length));
    return body === undefined ? { status: 404 } : { body };
  }
  switch (`${method} ${path}`) {
    case "POST /v1/enrol":
    case "POST /v1/renew":
      return { body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(request.body), NODE) };
    case "POST /v1/svids": {
      const { requests } = parseMessage(svidsRequest, request.body, "request");
      return {
        body: { certificates: requests.map(({ csr, identity }) => issueFor(mesh.intermediate, csr, identity)) },
      };
    }
    case "GET /v1/node/workloads":
      return document({ node: NODE, workloads: [workload("orders", ORDERS), workload("web", WEB)] });
    case "GET /v1/trust-bundles":
      return document({ trustDomain: "shop.example", bundles: { "shop.example": mesh.trustText } });
    case "GET /v1/bundle":
      return document(scripted.bundle);
    case "GET /v1/revocations":
      return document(scripted.revocations);
    case "POST /v1/node/status":
      return { status: 204 };
    default:
      return { status: 404 };
  }
}

function workload(name: string, identity: string) {
  return { identity, namespace: "shop", name, sharedUid: false, serverFirstPorts: [] };
}

function documentAnswer(value: unknown, known: string | undefined): FakeAnswer {
  if (value === undefined) return { status: 404 };
  const etag = `"${createHash("sha256").update(JSON.stringify(value)).digest("hex")}"`;
  return known === etag ? { status: 304, headers: { etag } } : { headers: { etag }, body: value };
}

function csrOf(body: unknown): string {
  return typeof body === "object" && body !== null && "csr" in body && typeof body.csr === "string" ? body.csr : "";
}
