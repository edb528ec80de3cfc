import { createHash } from "node:crypto";
import { type PolicySet, parseDocuments, resolve, shardOf } from "../../policies/index.ts";
import {
  type BundleManifest,
  DOCUMENT_TYPES,
  type RevocationsDocument,
  type SignedEnvelope,
} from "../../protocol/index.ts";
import { formatTrustBundle, signDocument, type X509Svid } from "../../spiffe/index.ts";
import { testHierarchy } from "./fake-authority.ts";

const POLICIES = `
apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders } }
spec: { mode: MODE }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: web-reads
      from:
        - workload: web
      requests:
        - GET PATH
`;

export const WEB = "spiffe://shop.example/shop/web";
export const ORDERS = "spiffe://shop.example/shop/orders";

/** What a test may say about a bundle. */
export interface BundleChoice extends Partial<Omit<BundleManifest, "shards">> {
  /** The one path that `web` may read of `orders`. */
  readonly path?: string;
  readonly mode?: "enforce" | "monitor";
  readonly signer?: X509Svid;
  readonly without?: readonly string[];
  readonly typ?: string;
}

/** The mesh's set: `web` may read one path of `orders`. */
export function policySet({ mode = "enforce", path = "/orders" }: Pick<BundleChoice, "mode" | "path"> = {}): PolicySet {
  const text = POLICIES.replace("MODE", mode).replace("PATH", path);
  const parsed = parseDocuments([{ path: "mesh.yaml", text }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  const errors = set.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new Error(errors[0]?.message);
  return set;
}

/** A trust domain whose signer signs whatever a test wants. */
export function signedMesh() {
  const hierarchy = testHierarchy("shop.example");
  const svidOf = (identity: string): X509Svid => hierarchy.intermediate.issue({ uris: [identity] }).svid();
  const signer = svidOf("spiffe://shop.example/cellwall/policy-signer");
  const shards = new Map<string, Buffer>();

  async function sign(document: unknown, typ: string, by: X509Svid = signer): Promise<SignedEnvelope> {
    const payload = Buffer.from(JSON.stringify(document));
    return { payload: payload.toString("base64url"), signature: await signDocument({ payload, typ, svid: by }) };
  }

  /** A signed bundle; its shards are kept in `shards`. */
  async function bundle(choice: BundleChoice = {}): Promise<SignedEnvelope> {
    const {
      mode = "enforce",
      path = "/orders",
      signer: by,
      typ = DOCUMENT_TYPES.bundle,
      without = [],
      ...rest
    } = choice;
    const set = policySet({ mode, path });
    const digests: Record<string, string> = {};
    for (const destination of set.destinations.filter((each) => !without.includes(each))) {
      const bytes = Buffer.from(JSON.stringify(shardOf(set, destination)));
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      shards.set(sha256, bytes);
      digests[destination] = sha256;
    }
    const now = Date.now();
    const manifest = {
      format: "cellwall.bundle/1",
      trustDomain: "shop.example",
      epoch: 1,
      revision: 1,
      issuedAt: new Date(now - 1_000).toISOString(),
      expiresAt: new Date(now + 3_600_000).toISOString(),
      publisher: "test",
      shards: digests,
      ...rest,
    };
    return await sign(manifest, typ, by);
  }

  /** A signed list of revocations. */
  async function revocations(
    rest: Partial<RevocationsDocument> & { readonly signer?: X509Svid },
  ): Promise<SignedEnvelope> {
    const { signer: by, ...fields } = rest;
    const document = {
      format: "cellwall.revocations/1",
      trustDomain: "shop.example",
      sequence: 1,
      issuedAt: new Date(Date.now() - 1_000).toISOString(),
      serials: [],
      identities: [],
      nodes: [],
      ...fields,
    };
    return await sign(document, DOCUMENT_TYPES.revocations, by);
  }

  const trust = hierarchy.root.bundle();
  return {
    ...hierarchy,
    trust,
    trustText: formatTrustBundle(trust),
    signer,
    svidOf,
    shards,
    sign,
    bundle,
    revocations,
  };
}

export type SignedMesh = ReturnType<typeof signedMesh>;

/** The same envelope with other content under the same signature. */
export function tampered(envelope: SignedEnvelope, change: (text: string) => string): SignedEnvelope {
  const text = Buffer.from(envelope.payload, "base64url").toString("utf8");
  const changed = change(text);
  if (changed === text) throw new Error("nothing was tampered with");
  return { ...envelope, payload: Buffer.from(changed).toString("base64url") };
}
