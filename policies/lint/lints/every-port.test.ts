import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("every-port", () => {
  it("finds tcp * in an allow", () => {
    const [one, ...others] = found("every-port", policy(allow(["tcp *"])));
    expect(one).toMatchObject({
      severity: "warning",
      span: { line: 12 },
      message: "`tcp *` covers every tcp listener",
    });
    expect(others).toEqual([]);
  });

  it("takes a port by name, in the line or beside it", () => {
    expect(
      found("every-port", policy(allow(["tcp 5432"])), policy(allow(["tcp *"], "ports: [5432]"), undefined, "b")),
    ).toEqual([]);
  });
});
