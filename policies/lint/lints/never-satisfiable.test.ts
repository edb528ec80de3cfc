import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("never-satisfiable", () => {
  it("finds a line whose conditions exclude one another", () => {
    const text = policy(allow(["GET /a", "GET /b"], "except: { requests: [GET /a] }"));
    expect(found("never-satisfiable", text)).toMatchObject([
      { severity: "warning", span: { line: 12 }, message: "no request meets `GET /a` of `reads`" },
    ]);
    const kept = policy(allow(["GET /a"], "except: { from: [{ labels: { tier: front } }] }"));
    expect(found("never-satisfiable", kept)).toHaveLength(1);
  });

  it("tells once of a rule of which no line can be met", () => {
    const text = policy(allow(["GET /a", "GET /b"], "except: { from: [{ labels: { tier: front } }] }"));
    expect(found("never-satisfiable", text)).toMatchObject([
      { span: { line: 8 }, message: "no request meets any line of `reads`" },
    ]);
  });

  it("takes lines that some request makes true, and what other findings tell already", () => {
    expect(
      found(
        "never-satisfiable",
        policy(allow(["GET /a"], "except: { from: [{ labels: { tier: back } }] }")),
        policy(allow(["GET /a"], "", "labels: { app: nobody }"), undefined, "b"),
        policy(allow(["GET /a"], "notAfter: 2026-01-01"), undefined, "c"),
      ),
    ).toEqual([]);
  });
});
