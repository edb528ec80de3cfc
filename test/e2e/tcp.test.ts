import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tcp } from "../support/clients.ts";
import { BANNER, decisionAfter, type ProtocolMesh, startProtocolMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

describe("TCP through two sidecars", () => {
  let test: ProtocolMesh;
  beforeAll(async () => {
    test = await startProtocolMesh();
  });
  afterAll(() => test?.stop());

  describe("where the client speaks first", () => {
    it("carries a connection that a tcp line allows", async () => {
      const mark = test.mesh.records.mark();
      const talk = await tcp(test.mesh.callSocket("web", "db"), { send: "hello", enough: 5 });
      expect(talk.text).toBe("hello");
      const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/db");
      expect(decision).toMatchObject({ reason: "allowed-by-rule", line: "shop/tcp/web-connects#tcp *" });
      expect(decision.path).toBeUndefined();
    });

    it("gives a denied caller no byte, and the app no connection", async () => {
      const mark = test.mesh.records.mark();
      const before = test.db.connections.length;
      const talk = await tcp(test.mesh.callSocket("stranger", "db"), { send: "hello" });
      expect(talk).toEqual({ text: "", closed: true });
      const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/db");
      expect(decision).toMatchObject({
        verdict: "deny",
        reason: "no-rule-matched",
        caller: "spiffe://test.example/shop/stranger",
      });
      expect(test.db.connections).toHaveLength(before);
    });

    it("opens nothing at the app for a caller that stays silent", async () => {
      const before = test.db.connections.length;
      const talk = await tcp(test.mesh.callSocket("stranger", "db"), { waitMs: 1_000 });
      expect(talk.text).toBe("");
      expect(test.db.connections).toHaveLength(before);
    });
  });

  describe("where the server speaks first", () => {
    it("gives an allowed caller the banner", async () => {
      const talk = await tcp(test.mesh.callSocket("web", "mail"), { enough: BANNER.length });
      expect(talk.text).toBe(BANNER);
    });

    it("gives a denied caller no byte of the banner, and the app no connection", async () => {
      const mark = test.mesh.records.mark();
      const before = test.mail.connections.length;
      const talk = await tcp(test.mesh.callSocket("stranger", "mail"), { waitMs: 2_000 });
      expect(talk.text).toBe("");
      expect(test.mail.connections).toHaveLength(before);
      const refusal = await test.mesh.records.waitFor(
        mark,
        (one) => one.workload === "shop/mail" && one.kind === "connection-refused",
        5_000,
      );
      expect(refusal).toMatchObject({
        reason: "san-mismatch",
        unverifiedPeer: "spiffe://test.example/shop/stranger",
      });
    });

    it("opens nothing at the app for a bare TCP connect", async () => {
      const before = test.mail.connections.length;
      const peer = connect(2525, test.mesh.address("mail"));
      peer.on("error", () => {});
      await until(
        () => peer.readyState,
        (state) => state === "open",
      );
      await tcp(test.mesh.callSocket("web", "mail"), { enough: BANNER.length });
      peer.destroy();
      expect(test.mail.connections).toHaveLength(before + 1);
    });
  });
});
