import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("call-not-allowed", () => {
  it("finds declared calls of which nothing is allowed", () => {
    const text = policy(allow(["GET /a"], "", "workload: batch"));
    expect(found("call-not-allowed", text)).toMatchObject([
      {
        severity: "warning",
        span: { file: "1.yaml" },
        message: "`shop/web` says that it calls `shop/orders` at 8443, and nothing that it sends there is allowed",
      },
    ]);
    expect(found("call-not-allowed", policy(allow(["GET /a"], "ports: [443]")))).toHaveLength(2);
  });

  it("takes calls of which something is allowed", () => {
    const text = policy(allow(["GET /a"], "", "labels: { app: { in: [web, batch] } }"));
    expect(found("call-not-allowed", text)).toEqual([]);
  });
});
