import { describe, expect, it } from "vitest";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "../syntax/parse-documents.ts";
import { lint } from "./lint.ts";
import { allow, lintText, NOW, policy } from "./testing/lint-text.ts";

describe("lint", () => {
  it("says nothing of a set that has nothing to be found", () => {
    expect(lintText(policy(allow(["GET /orders/{id:int}"], "", "labels: { app: { in: [web, batch] } }")))).toEqual([]);
  });

  it("orders findings by place", () => {
    const text = policy(allow(["ANY /b", "GET /**"], "", "anyone: authenticated"), "protects: { workload: orders }");
    const lines = lintText(text).map(({ span }) => span?.line ?? 0);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines).toEqual(lines.toSorted((left, right) => left - right));
  });

  it("judges nothing of a set with errors", () => {
    const { documents } = parseDocuments([
      { path: "a.yaml", text: policy(allow(["ANY /**"], "", "anyone: authenticated")) },
    ]);
    expect(lint(resolve(documents), { now: NOW })).toEqual([]);
  });
});
