import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/run.ts";
import { capturedIo, until } from "../../cli/testing/captured-io.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { type CommandProcess, startCommand } from "../support/processes.ts";

// The commands of policies as code against an authority and an agent that run as a process of their own.

const ISSUER = "https://ci.example";
const access = (...requests: readonly string[]): string => `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders-access, namespace: shop }
spec:
  protects: { workload: orders }
  owner: team-orders
  allow:
    - name: web-uses-orders
      from:
        - workload: web
      requests:
${requests.map((request) => `        - ${request}\n`).join("")}`;

const platform = (jwks: string): string => `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  approvals:
    changes: broader
    approvers:
      - oidc: { issuer: "${ISSUER}", audience: cellwall, claims: { repository: acme/reviewers }, jwks: { inline: '${jwks}' } }
---
apiVersion: cellwall.dev/v1
kind: Team
metadata: { name: orders }
spec:
  namespaces: [shop]
  publishers:
    - oidc: { issuer: "${ISSUER}", audience: cellwall, claims: { repository: acme/orders }, jwks: { inline: '${jwks}' } }
  mayRegister: ["spiffe://shop.example/shop/**"]
  mayLabel: [app]
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { attest: [{ socket: { uid: 1001 } }] }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders } }
spec: { attest: [{ socket: { uid: 1002 } }] }
`;

describe("policies as code, with a running authority", () => {
  let folder = "";
  let up: CommandProcess | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] });
    const token = await new SignJWT({ repository: "acme/orders" })
      .setProtectedHeader({ alg: "ES256", kid: "k" })
      .setIssuer(ISSUER)
      .setAudience("cellwall")
      .setSubject("repo:acme/orders")
      .setExpirationTime("1 h")
      .sign(privateKey);
    write("platform/mesh.yaml", platform(jwks));
    write("orders/access.yaml", access("GET /orders/{id}"));
    write("ci-token", token);
    up = startCommand(["up", "platform", "--port", "0"], { cwd: folder });
    await until(`it is up: ${up.output()}`, () => up?.output().includes("is up") === true, 30_000);
    write("root.pem", admin().rootPem);
  });
  afterAll(async () => {
    await up?.kill("SIGINT");
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const admin = (): { url: string; rootPem: string } =>
    JSON.parse(readFileSync(join(folder, ".cellwall/authority/admin.json"), "utf8"));
  const cellwall = async (...argv: readonly string[]) => {
    const io = capturedIo(folder);
    const code = await run([...argv], io);
    return { code, out: io.out(), err: io.err() };
  };
  /** As CI does: by its token, and by the root that it was given. */
  const asCi = (): readonly string[] => [
    "--authority",
    admin().url,
    "--token-file",
    "ci-token",
    "--root-file",
    "root.pem",
  ];
  const revision = async (): Promise<number> =>
    JSON.parse((await cellwall("status", "--output", "json")).out).bundle.revision;

  it("a team's publish of its source waits where it allows more, and somebody else approves it", async () => {
    const before = await revision();
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const waits = await cellwall("publish", "orders", "--source", "orders", "--commit", commit, ...asCi());
    expect([waits.code, waits.err]).toEqual([0, ""]);
    expect(waits.out).toMatch(/^waits for approval: /);
    const id = /--approve ([0-9a-f]+)`/.exec(waits.out)?.[1] ?? "";
    expect(await revision()).toBe(before);
    const own = await cellwall("publish", "--approve", id, ...asCi());
    expect([own.code, own.err]).toEqual([1, expect.stringMatching(/no approver|somebody else/)]);
    const shown = await cellwall("publish", "--approve", id, "--dry-run");
    expect([shown.code, shown.err]).toEqual([0, ""]);
    expect(shown.out).toContain(`policies of orders, published by oidc:${ISSUER}#repo:acme/orders at `);
    expect(shown.out).toContain(`commit ${commit}\n`);
    expect(shown.out).toMatch(/\n {2}\+ .*access\.yaml\n/);
    expect(shown.out).toMatch(/broader[\s\S]*GET \/orders\//);
    expect(shown.out).toContain(`dry run: nothing changed; \`cellwall publish --approve ${id}\` puts it in force`);
    expect(await revision()).toBe(before);
    const approved = await cellwall("publish", "--approve", id);
    expect([approved.code, approved.out]).toEqual([0, expect.stringMatching(/^published revision /)]);
    expect(await revision()).toBe(before + 1);
    await until("the agent has the bundle", () => bundle().revision === before + 1);
    expect(bundle()).toMatchObject({ commit, publisher: `oidc:${ISSUER}#repo:acme/orders` });
    expect(bundle().approvers).toHaveLength(1);
  });

  it("a team publishes nothing but its own source, and replaces nobody else's", async () => {
    const other = await cellwall("publish", "orders", "--source", "pay", ...asCi());
    expect([other.code, other.err]).toEqual([1, expect.stringContaining("does not publish the source `pay`")]);
    const narrower = await cellwall("publish", "orders", "--source", "orders", "--dry-run", ...asCi());
    expect([narrower.code, narrower.out]).toEqual([0, expect.stringMatching(/^dry run: nothing changed/)]);
  });

  it("check judges a folder as part of what is in force, over HTTPS", async () => {
    const alone = await cellwall("check", "orders");
    expect([alone.code, alone.out]).toEqual([1, expect.stringContaining("error")]);
    for (const where of [
      ["--against", "authority"],
      ["--against", admin().url, ...asCi().slice(2)],
    ]) {
      const { code, out, err } = await cellwall(
        "check",
        "orders",
        "--source",
        "orders",
        "--fail-on",
        "error",
        ...where,
      );
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("1 file");
    }
    const wrongRoot = createTestCa({ trustDomain: "shop.example" }).rootPem;
    write("other-root.pem", wrongRoot);
    const forged = ["--against", admin().url, "--token-file", "ci-token", "--root-file", "other-root.pem"];
    expect((await cellwall("check", "orders", ...forged)).code).toBe(3);
  });

  it("check judges a folder against a file, and says that it carries no signature", async () => {
    const text = readFileSync(join(folder, "platform/mesh.yaml"), "utf8");
    const files = [{ path: "mesh.yaml", text, source: "" }];
    write("published.json", JSON.stringify({ epoch: 1, revision: 1, publisher: "x", files }));
    const { code, out, err } = await cellwall("check", "orders", "--against", "published.json", "--fail-on", "error");
    expect([code, out]).toEqual([0, expect.stringContaining("1 file")]);
    expect(err).toBe("warning: `published.json` carries no signature, so it is believed as it is\n");
  });

  describe("an agent's bundle", () => {
    const explain = (...more: readonly string[]) =>
      cellwall("explain", "--from", "web", "--to", "orders", "GET /orders/1", ...more);

    it("is verified by the running authority's root, or by the one that is named", async () => {
      for (const more of [[], ["--root-file", "root.pem"]]) {
        const { code, out, err } = await explain("--policies", ".cellwall/agent", ...more);
        expect([code, out]).toEqual([0, expect.stringContaining("allow")]);
        expect(err).toMatch(
          /^bundle `\.cellwall\/agent`, revision \d+\.\d+ of shop\.example: signed by its policy signer/,
        );
      }
      const compared = await cellwall("diff", ".cellwall/agent", ".cellwall/agent");
      expect([compared.code, compared.out]).toEqual([0, expect.stringMatching(/^equivalent/)]);
      expect(compared.err).toContain("signed by its policy signer");
    });

    it("is nothing to judge a folder with: it holds no documents", async () => {
      const { code, err } = await cellwall("check", "orders", "--against", ".cellwall/agent");
      expect([code, err]).toEqual([
        3,
        expect.stringMatching(/is a bundle, which holds no documents[\s\S]*--against authority/),
      ]);
    });

    it("is believed as it is where no root is known, which is said", async () => {
      const { code, err } = await explain("--policies", ".cellwall/agent", "--state", "none");
      expect([code, err]).toEqual([
        0,
        expect.stringMatching(/^warning: the signature of bundle .* is not verified: no root is known/),
      ]);
    });

    it("is no set of policies where another root signed it, or something in it was changed", async () => {
      const other = await explain("--policies", ".cellwall/agent", "--root-file", "other-root.pem");
      expect([other.code, other.err]).toEqual([3, expect.stringContaining("is not what its mesh has signed")]);
      cpSync(join(folder, ".cellwall/agent"), join(folder, "copy"), { recursive: true });
      const stored = JSON.parse(readFileSync(join(folder, "copy/bundle.json"), "utf8"));
      const manifest = JSON.parse(Buffer.from(stored.envelope.payload, "base64url").toString("utf8"));
      const payload = Buffer.from(JSON.stringify({ ...manifest, revision: 99 })).toString("base64url");
      write("copy/bundle.json", JSON.stringify({ ...stored, envelope: { ...stored.envelope, payload } }));
      for (const command of [
        await explain("--policies", "copy"),
        await cellwall("diff", "copy", ".cellwall/agent"),
        await cellwall("simulate", "copy"),
      ])
        expect([command.code, command.out, command.err]).toEqual([
          3,
          "",
          expect.stringContaining("revision 1.99 of shop.example is not what its mesh has signed"),
        ]);
    });
  });

  function bundle(): { revision: number; publisher: string; commit?: string; approvers?: readonly string[] } {
    const { envelope } = JSON.parse(readFileSync(join(folder, ".cellwall/agent/bundle.json"), "utf8"));
    return JSON.parse(Buffer.from(envelope.payload, "base64url").toString("utf8"));
  }
});
