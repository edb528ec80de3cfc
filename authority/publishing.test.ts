import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { apiError, authorityStatus, publishedPolicies, publishResponse } from "../protocol/index.ts";
import { GOOD_SET, type Harness, openHarness, policyText, workloadText } from "./testing/harness.ts";

const ISSUER = "https://ci.example";
const KEYS_URL = "https://ci.example/keys";
let key: CryptoKey;
let jwks: { keys: object[] };
let strangerKey: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  key = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k", alg: "ES256" }] };
  strangerKey = (await generateKeyPair("ES256")).privateKey;
});

/** A CI system's discovery document and keys. */
const web = async (url: string): Promise<Response> => {
  if (url === `${ISSUER}/.well-known/openid-configuration`)
    return Response.json({ issuer: ISSUER, jwks_uri: KEYS_URL });
  return String(url) === KEYS_URL ? Response.json(jwks) : new Response("", { status: 404 });
};

interface TokenOptions {
  readonly claims?: object;
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string;
  readonly by?: CryptoKey;
}

const tokenOf = (repository: string, { claims, issuer, audience, expires, by }: TokenOptions = {}): Promise<string> =>
  new SignJWT({ repository, ref: "refs/heads/main", ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer(issuer ?? ISSUER)
    .setAudience(audience ?? "cellwall")
    .setSubject(`repo:${repository}`)
    .setExpirationTime(expires ?? "5 min")
    .sign(by ?? key);

const oidc = (repository: string): string =>
  `{ oidc: { issuer: "${ISSUER}", audience: cellwall, claims: { repository: ${repository}, ref: refs/heads/main } } }`;

const team = (name: string, namespace: string): string => `---
apiVersion: cellwall.dev/v1
kind: Team
metadata: { name: ${name} }
spec:
  namespaces: [${namespace}]
  publishers: [${oidc(`acme/${name}`)}]
  mayRegister: ["spiffe://shop.example/${namespace}/**"]
  mayLabel: [app]
`;
const GUARDRAIL = `---
apiVersion: cellwall.dev/v1
kind: Guardrail
metadata: { name: cards, namespace: mesh }
spec: { never: [{ from: { labels: { app: web } }, to: { labels: { app: cards } } }] }
`;
const APPROVALS = (changes: string): string => `---
apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { approvals: { changes: ${changes}, approvers: [${oidc("acme/reviewers")}] } }
`;
const CARDS = workloadText("cards").replaceAll("namespace: shop", "namespace: pay");
const REACH_CARDS = policyText()
  .replaceAll("namespace: shop", "namespace: pay")
  .replace("workload: orders", "workload: cards")
  .replace("workload: web", "workload: shop/web");

const platform = (...more: readonly string[]) => [
  {
    path: "mesh.yaml",
    text: `${GOOD_SET[0]?.text ?? ""}${team("orders", "shop")}${team("pay", "pay")}${more.join("")}`,
  },
];
const ACCESS = [{ path: "access.yaml", text: policyText() }];
const WIDER = [{ path: "access.yaml", text: policyText("ANY /orders/{id}") }];

describe("publishing by source", () => {
  let harness: Harness;
  afterEach(() => harness.close());
  const open = async (...more: readonly string[]): Promise<void> => {
    harness = await openHarness({ fetch: web });
    expect((await post({ files: platform(...more) })).body).toMatchObject({ published: true });
  };
  const post = (body: object, token = harness.token) =>
    harness.call("post", "/v1/policies").set("Authorization", `Bearer ${token}`).send(body);
  const refusal = async (body: object, token?: string): Promise<readonly [number, string, string]> => {
    const answer = await post(body, token);
    const { code, message, diagnostics } = apiError.parse(answer.body).error;
    return [answer.status, diagnostics?.find(({ severity }) => severity === "error")?.code ?? code, message];
  };

  it("replaces that source's documents and no other's, and survives a restart", async () => {
    await open();
    await post({ files: ACCESS, source: "orders" });
    await post({ files: [{ path: "cards.yaml", text: CARDS }], source: "pay" });
    const files = async () =>
      publishedPolicies
        .parse((await harness.admin("get", "/v1/policies")).body)
        .files.map(({ path, source }) => `${source}:${path}`);
    expect(await files()).toEqual([":mesh.yaml", "orders:access.yaml", "pay:cards.yaml"]);
    await post({ files: [{ path: "new.yaml", text: policyText("GET /new") }], source: "orders" });
    expect(await files()).toEqual([":mesh.yaml", "orders:new.yaml", "pay:cards.yaml"]);
    await post({ files: platform() });
    harness = await harness.restart();
    expect(await files()).toEqual([":mesh.yaml", "orders:new.yaml", "pay:cards.yaml"]);
    expect(
      harness.authority
        .status()
        .workloads?.map(({ name }) => name)
        .sort(),
    ).toEqual(["cards", "orders", "web"]);
  });

  it("refuses what its team was not granted, naming the owner, and keeps what was in force", async () => {
    await open();
    const [status, code, message] = await refusal({ files: [{ path: "cards.yaml", text: CARDS }], source: "orders" });
    expect([status, code]).toEqual([422, "ERR_AUTHORITY_TEAM_NAMESPACE"]);
    expect(message).toContain("which is the team `pay`'s, not the team `orders`'s");
    expect((await post({ files: ACCESS, source: "orders" })).body.published).toBe(true);
  });

  it("judges a publisher by the others' Team documents, however it names its files", async () => {
    await open();
    const files = [{ path: "platform:mesh.yaml", text: CARDS }];
    expect((await refusal({ files, source: "orders" }))[1]).toBe("ERR_AUTHORITY_TEAM_NAMESPACE");
  });

  it("refuses a set that breaks a guardrail, with the way, also where the publish removes the guardrail", async () => {
    await open(GUARDRAIL, CARDS);
    const [status, code, message] = await refusal({ files: [{ path: "p.yaml", text: REACH_CARDS }], source: "pay" });
    expect([status, code]).toEqual([422, "ERR_AUTHORITY_GUARDRAIL_NEVER"]);
    expect(message).toContain(
      "`shop/web` can reach `pay/cards`, and `mesh/cards` forbids it: shop/web → pay/cards: GET /orders/",
    );
    expect((await refusal({ files: platform(CARDS, "---\n", REACH_CARDS) }))[1]).toBe("ERR_AUTHORITY_GUARDRAIL_NEVER");
    await post({ files: platform(CARDS) });
    expect((await post({ files: [{ path: "p.yaml", text: REACH_CARDS }], source: "pay" })).body.published).toBe(true);
  });

  it("records commit and guardrails in the signed manifest", async () => {
    await open(GUARDRAIL, CARDS);
    const commit = "0123456789abcdef0123456789abcdef01234567+changes";
    await post({ files: ACCESS, source: "orders", commit });
    const manifest = harness.ca.bundle()?.manifest;
    expect(manifest).toMatchObject({
      publisher: "local-admin",
      commit,
      guardrails: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const before = manifest?.guardrails;
    await post({ files: platform(GUARDRAIL.replace("app: web", "app: orders"), CARDS) });
    expect(harness.ca.bundle()?.manifest.guardrails).not.toBe(before);
  });

  describe("by an OIDC token", () => {
    it("lets a team's publisher publish its own source, and read what is in force", async () => {
      await open();
      const token = await tokenOf("acme/orders");
      expect((await post({ files: ACCESS, source: "orders" }, token)).body.published).toBe(true);
      expect(harness.ca.bundle()?.manifest.publisher).toBe(`oidc:${ISSUER}#repo:acme/orders`);
      const read = await harness.call("get", "/v1/policies").set("Authorization", `Bearer ${token}`);
      expect([read.status, read.body.files.length]).toEqual([200, 2]);
    });

    it("refuses another source and the platform's own, naming the owner", async () => {
      await open();
      const token = await tokenOf("acme/orders");
      const [status, code, message] = await refusal({ files: ACCESS, source: "pay" }, token);
      expect([status, code]).toEqual([403, "ERR_AUTHORITY_FORBIDDEN"]);
      expect(message).toContain("is for the team `pay`");
      expect((await refusal({ files: ACCESS }, token))[2]).toContain("is for the platform");
      expect((await refusal({ files: ACCESS, source: "nobody" }, token))[0]).toBe(403);
    });

    it.each([
      ["of another issuer", { issuer: "https://evil.example" }],
      ["for another audience", { audience: "other" }],
      ["with another claim", { claims: { ref: "refs/heads/feature" } }],
      ["that has expired", { expires: "-1 min" }],
    ] as const)("refuses a token %s", async (_, options) => {
      await open();
      const token = await tokenOf("acme/orders", options);
      expect((await refusal({ files: ACCESS, source: "orders" }, token)).slice(0, 2)).toEqual([
        401,
        "ERR_AUTHORITY_UNAUTHENTICATED",
      ]);
    });

    it("refuses a token of another key, one without signature, and any elsewhere in the API", async () => {
      await open();
      const forged = await tokenOf("acme/orders", { by: strangerKey });
      expect((await refusal({ files: ACCESS, source: "orders" }, forged))[0]).toBe(401);
      const [, payload] = forged.split(".");
      const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.AA`;
      expect((await refusal({ files: ACCESS, source: "orders" }, none))[0]).toBe(401);
      const token = await tokenOf("acme/orders");
      const status = await harness.call("get", "/v1/status").set("Authorization", `Bearer ${token}`);
      expect(status.status).toBe(401);
    });
  });

  describe("where changes need approval", () => {
    const pendingOf = async (body: object, token?: string) =>
      publishResponse.parse((await post(body, token)).body).pending;

    it("keeps a broader change until somebody else approves it, and records who", async () => {
      await open(APPROVALS("broader"));
      const pending = await pendingOf({ files: ACCESS, source: "orders" });
      expect(pending?.why).toContain("`shop/web` may call `spiffe://shop.example/shop/orders`");
      const id = pending?.id ?? "";
      expect(authorityStatus.parse((await harness.admin("get", "/v1/status")).body).pending).toMatchObject([
        { id, source: "orders" },
      ]);
      expect((await refusal({ approve: id })).slice(0, 2)).toEqual([403, "ERR_AUTHORITY_FORBIDDEN"]);
      expect((await refusal({ approve: id }, await tokenOf("acme/orders")))[0]).toBe(403);
      harness = await harness.restart();
      expect((await post({ approve: id }, await tokenOf("acme/reviewers"))).body.published).toBe(true);
      expect(harness.ca.bundle()?.manifest).toMatchObject({
        publisher: "local-admin",
        approvers: [`oidc:${ISSUER}#repo:acme/reviewers`],
      });
      expect((await refusal({ approve: id }, await tokenOf("acme/reviewers")))[1]).toBe("ERR_AUTHORITY_PENDING");
    });

    it("shows an approver in a dry run what waits, and goes on waiting", async () => {
      await open(APPROVALS("broader"));
      const id = (await pendingOf({ files: ACCESS, source: "orders" }))?.id ?? "";
      const looks = { approve: id, dryRun: true };
      expect((await refusal(looks, await tokenOf("acme/orders")))[0]).toBe(403);
      const { published, review } = publishResponse.parse((await post(looks, await tokenOf("acme/reviewers"))).body);
      expect([published, review?.publisher, review?.source]).toEqual([false, "local-admin", "orders"]);
      const inForce = publishedPolicies.parse((await harness.admin("get", "/v1/policies")).body).files;
      const own = ACCESS.map((file) => ({ ...file, source: "orders" }));
      expect(review?.files).toEqual([...inForce, ...own]);
      expect(harness.authority.status().pending).toMatchObject([{ id }]);
    });

    it("lets narrower changes through at once, and all wait where all must", async () => {
      await open();
      await post({ files: WIDER, source: "orders" });
      await post({ files: platform(APPROVALS("broader")) });
      expect((await post({ files: ACCESS, source: "orders" })).body).toMatchObject({ published: true });
      const stricter = await pendingOf({ files: platform(APPROVALS("all")) });
      await post({ approve: stricter?.id }, await tokenOf("acme/reviewers"));
      const pending = await pendingOf({ files: [], source: "orders" });
      expect(pending?.why).toBe("every change needs a second approval");
    });

    it("refuses an approval after something else was published", async () => {
      await open(APPROVALS("broader"));
      const pending = await pendingOf({ files: ACCESS, source: "orders" });
      expect(harness.authority.status().pending).toHaveLength(1);
      await post({ files: [{ path: "cards.yaml", text: CARDS }], source: "pay" });
      expect(harness.authority.status().pending).toBeUndefined();
      const [status, code] = await refusal({ approve: pending?.id }, await tokenOf("acme/reviewers"));
      expect([status, code]).toEqual([409, "ERR_AUTHORITY_CONFLICT"]);
    });

    it("cannot be had by a publish that removes the approvals itself", async () => {
      await open(APPROVALS("broader"));
      expect(await pendingOf({ files: platform() })).toMatchObject({ why: "who must approve changes" });
    });

    it("says in a dry run that it would wait", async () => {
      await open(APPROVALS("broader"));
      expect(await pendingOf({ files: ACCESS, source: "orders", dryRun: true })).toMatchObject({ id: "" });
      expect(harness.authority.status().pending).toBeUndefined();
    });
  });
});
