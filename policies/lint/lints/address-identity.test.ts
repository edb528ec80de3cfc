import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("address-identity", () => {
  it("finds an address as the only thing that tells callers apart", () => {
    const [one, ...others] = found("address-identity", policy(allow(["GET /a"], "", "addresses: [10.0.0.0/8]")));
    expect(one).toMatchObject({
      severity: "warning",
      span: { line: 10 },
      message: "`reads` takes an address (`10.0.0.0/8`) for who somebody is",
    });
    expect(others).toEqual([]);
  });

  it("takes an address that narrows a workload", () => {
    expect(found("address-identity", policy(allow(["GET /a"], "", "workload: web, addresses: [10.0.0.0/8]")))).toEqual(
      [],
    );
  });
});
