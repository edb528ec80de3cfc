import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { requestText } from "../../ca/testing/certificate-request.ts";
import { enrolResponse } from "../../protocol/index.ts";
import { GOOD_SET, type Harness, openHarness } from "../testing/harness.ts";
import { startTokenIssuer, type TokenFields, type TokenIssuer } from "../testing/token-issuer.ts";

let issuer: TokenIssuer;
let harness: Harness;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cellwall-attest-"));
  issuer = await startTokenIssuer();
});
afterEach(() => harness.close());
afterAll(async () => {
  await issuer.close();
  rmSync(folder, { recursive: true });
});

const node = (name: string, attest: object) =>
  JSON.stringify({
    apiVersion: "cellwall.dev/v1",
    kind: "Node",
    metadata: { name, labels: { pool: "apps" } },
    spec: { attest: [attest] },
  });
const oidc = (claims: object, more: object = {}) => ({
  oidc: { issuer: issuer.url, audience: "cellwall", claims, ...more },
});
const cluster = (more: object = {}) => ({
  kubernetes: { issuer: issuer.url, audience: "cellwall", namespace: "mesh", serviceAccount: "agent", ...more },
});
const podToken = (fields: { account?: string; node?: string } = {}): TokenFields => ({
  subject: `system:serviceaccount:mesh:${fields.account ?? "agent"}`,
  audience: ["cellwall"],
  claims: {
    "kubernetes.io": {
      namespace: "mesh",
      node: { name: fields.node ?? "worker-1", uid: "u" },
      pod: { name: "agent-x", uid: "p" },
      serviceaccount: { name: fields.account ?? "agent", uid: "s" },
    },
  },
});

async function open(...nodes: readonly string[]): Promise<void> {
  harness = await openHarness({ fetch: issuer.fetch });
  const [mesh] = GOOD_SET;
  const text = [mesh?.text.trimEnd(), ...nodes].join("\n---\n");
  const answer = await harness.authority.publish([{ path: "mesh.yaml", text }], "test");
  expect(answer.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
}
const attest = async (fields: TokenFields, more: object = {}) => send(await issuer.token(fields), more);
const send = (token: string, more: object = {}) =>
  harness.call("post", "/v1/attest").send({ token, csr: requestText(), ...more });
const newest = async () => (await harness.ca.ledger({ limit: 1 })).entries[0];

async function expectRefusal(answer: { status: number; body: { error?: { message: string } } }, ...parts: string[]) {
  expect(answer.status).toBe(401);
  const { reason = "", kind } = (await newest()) ?? {};
  expect(kind).toBe("refusal");
  for (const part of parts) expect(answer.body.error?.message).toContain(part);
  expect(answer.body.error?.message).toContain(reason);
}

describe("by OIDC token", () => {
  it("joins the node whose claims the token carries, its keys found by discovery, the evidence in the ledger", async () => {
    await open(node("ci-1", oidc({ repository: "acme/shop", sub: "ci" })), node("ci-2", oidc({ repository: "x" })));
    const answer = await attest({ claims: { repository: "acme/shop" } });
    expect(answer.status, answer.text).toBe(200);
    expect(enrolResponse.parse(answer.body)).toMatchObject({ node: "ci-1" });
    expect(issuer.asked).toContain("/.well-known/openid-configuration");
    expect(await newest()).toMatchObject({
      kind: "agent",
      identity: "spiffe://shop.example/cellwall/agent/ci-1",
      evidence: `oidc token of \`${issuer.url}\` for \`ci\``,
    });
    expect((await harness.authority.audit({ limit: 1 }))[0]).toMatchObject({ action: "enrol", subject: "node ci-1" });
  });

  it("refuses with what was seen and the nearest entry, in the answer and in the ledger", async () => {
    await open(
      node("near", oidc({ repository: "acme/shop", ref: "refs/heads/main" })),
      node("far", oidc({ repository: "acme/other", ref: "refs/heads/other", env: "prod" })),
    );
    await expectRefusal(
      await attest({ claims: { repository: "acme/shop", ref: "refs/heads/fix" } }),
      `token of \`${issuer.url}\` for \`ci\` is refused`,
      "nearest is `near` by `oidc`: claim `ref` is `refs/heads/fix`, wanted `refs/heads/main`",
    );
    await expectRefusal(
      await attest({ claims: { repository: "acme/shop", ref: "refs/heads/main" }, audience: "vault" }),
      "the audience is `vault`, wanted `cellwall`",
    );
  });

  it("refuses a token that is none, another issuer's, expired, good for years, unsigned or signed by another key", async () => {
    await open(node("ci-1", oidc({ sub: "ci" })));
    const bad: readonly (readonly [() => Promise<string> | string, string])[] = [
      [() => "junk", "it cannot be read"],
      [() => issuer.token({ issuer: "https://evil.example" }), "no node takes tokens of this issuer"],
      [() => issuer.token({ expiresIn: Math.floor(Date.now() / 1000) - 60 }), "it has expired"],
      [() => issuer.token({ expiresIn: "10 years" }), "good for more than a day"],
      [
        async () => issuer.token({ key: (await generateKeyPair("ES256")).privateKey }),
        "its signature is not the issuer's",
      ],
      [
        async () => `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await issuer.token()).split(".")[1]}.`,
        "algorithm",
      ],
    ];
    for (const [token, reason] of bad) await expectRefusal(await send(await token()), reason);
  });

  it("takes a token once, also after a restart", async () => {
    await open(node("ci-1", oidc({ sub: "ci" })));
    const token = await issuer.token();
    expect((await send(token)).status).toBe(200);
    await expectRefusal(await send(token), "it was used already");
    harness = await harness.restart();
    await expectRefusal(await send(token), "it was used already");
  });

  it("asks which node is meant where a token fits several", async () => {
    await open(node("ci-1", oidc({ sub: "ci" })), node("ci-2", oidc({ sub: "ci" })));
    await expectRefusal(await attest({}), "it fits several nodes, `ci-1`, `ci-2`");
    await expectRefusal(await attest({}, { node: "host-1" }), "it fits `ci-1`, `ci-2`, not `host-1`");
    const answer = await attest({}, { node: "ci-2" });
    expect(answer.body).toMatchObject({ node: "ci-2" });
  });

  it("says that the issuer's keys cannot be had, which is no refusal", async () => {
    await open(node("ci-1", oidc({ sub: "ci" }, { jwks: { url: `${issuer.url}/nothing` } })));
    const answer = await attest({});
    expect([answer.status, answer.body.error.code]).toEqual([503, "ERR_AUTHORITY_ISSUER_KEYS"]);
  });

  it("joins no node that is revoked or that may join by join token only", async () => {
    await open(node("ci-1", oidc({ sub: "ci" })));
    await expectRefusal(await attest({ subject: "other" }, { node: "host-1" }), "no node takes it");
    await harness.ca.revoke({ node: "ci-1", reason: "lost" }, "test");
    const answer = await attest({});
    expect([answer.status, answer.body.error.code]).toEqual([403, "ERR_CA_REVOKED"]);
  });
});

describe("by Kubernetes service account token", () => {
  it("joins the node of the account and of the Kubernetes node, with keys from a file that may be replaced", async () => {
    const file = join(folder, "jwks.json");
    writeFileSync(file, '{"keys":[]}');
    const jwks = { file };
    await open(
      node("worker-1", cluster({ node: "worker-1", jwks })),
      node("worker-2", cluster({ node: "worker-2", jwks })),
    );
    await expectRefusal(await attest(podToken()), "the issuer has no such key");
    writeFileSync(file, issuer.jwks);
    const token = await issuer.token(podToken({ node: "worker-2" }));
    expect((await send(token)).body).toMatchObject({ node: "worker-2" });
    // The pod's file holds the same token for most of an hour; an agent that lost its state comes back with it.
    expect((await send(token)).body).toMatchObject({ node: "worker-2" });
    expect((await newest())?.evidence).toContain("kubernetes token of");
  });

  it("refuses another account, another Kubernetes node, and a token that is bound to nothing", async () => {
    await open(node("worker-1", cluster({ node: "worker-1", jwks: { inline: issuer.jwks } })));
    await expectRefusal(
      await attest(podToken({ account: "default" })),
      "the subject is `system:serviceaccount:mesh:default`, wanted `system:serviceaccount:mesh:agent`",
    );
    await expectRefusal(await attest(podToken({ node: "worker-9" })), "the node is `worker-9`, wanted `worker-1`");
    const { claims: _bound, ...unbound } = podToken();
    await expectRefusal(await attest(unbound), "the service account is missing, wanted `agent`");
  });
});
