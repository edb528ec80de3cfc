import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("matches-nothing", () => {
  it("finds keys that nobody fulfils together", () => {
    const [one, ...others] = found(
      "matches-nothing",
      policy(allow(["GET /a"], "", "workload: web, labels: { app: batch }")),
    );
    expect(one).toMatchObject({
      severity: "warning",
      message:
        "no caller that may be there is workload `shop/web` and a workload of namespace `shop` whose label `app` is `batch`",
    });
    expect(others).toEqual([]);
  });

  it("takes callers that are there, foreign ones and anonymous ones", () => {
    expect(
      found(
        "matches-nothing",
        policy(allow(["GET /a"], "", "workload: web, labels: { app: web }")),
        policy(allow(["GET /a"], "", "trustDomain: partner.example"), undefined, "b"),
        policy(allow(["GET /a"], "", "anyone: anonymous"), undefined, "c"),
      ),
    ).toEqual([]);
  });
});
