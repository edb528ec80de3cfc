import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GOOD_SET, type Harness, openHarness } from "../../authority/testing/harness.ts";
import { startTokenIssuer, type TokenIssuer } from "../../authority/testing/token-issuer.ts";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

describe("cellwall agent with a token of the platform", () => {
  const folder = useTempFolder();
  let issuer: TokenIssuer;
  let harness: Harness;
  beforeEach(async () => {
    issuer = await startTokenIssuer();
    harness = await openHarness({ fetch: issuer.fetch });
    const claims = `{ oidc: { issuer: "${issuer.url}", audience: cellwall, claims: { sub: ci } } }`;
    const text = `apiVersion: cellwall.dev/v1\nkind: Node\nmetadata: { name: ci-1 }\nspec: { attest: [${claims}] }\n`;
    await harness.authority.publish([...GOOD_SET, { path: "node.yaml", text }], "test");
  });
  afterEach(async () => {
    await harness.close();
    await issuer.close();
  });

  const agent = async (...args: readonly string[]) => {
    const io = capturedIo(folder());
    const metrics = ["--metrics", "127.0.0.1:0"];
    const code = await run(["agent", "--authority", harness.url, ...metrics, ...args], io);
    return { code, text: io.err() };
  };

  it("needs the root that the token may be sent to", async () => {
    const { code, text } = await agent("--attest-token-file", "token");
    expect(code).toBe(2);
    expect(text).toContain("`--attest-token-file` needs `--authority-root`");
  });

  it("says what keeps it from joining: the file, the authority, the token", async () => {
    const root = harness.ca.rootFingerprint();
    const tries = [
      ["cannot read `token`", root],
      ["it shows no root with the expected fingerprint", "0".repeat(64)],
      ["nearest is `ci-1` by `oidc`: claim `sub` is `other`, wanted `ci`", root],
    ] as const;
    for (const [message, fingerprint] of tries) {
      if (message.startsWith("nearest"))
        writeFileSync(join(folder(), "token"), await issuer.token({ subject: "other" }));
      const { code, text } = await agent("--attest-token-file", "token", "--authority-root", fingerprint);
      expect([code, text]).toEqual([3, expect.stringContaining(message)]);
    }
    expect((await harness.ca.ledger({ limit: 1 })).entries[0]?.kind).toBe("refusal");
  });
});
