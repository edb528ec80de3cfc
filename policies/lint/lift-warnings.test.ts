import { describe, expect, it } from "vitest";
import { allow, found, lintText, policy } from "./testing/lint-text.ts";

describe("warnings of the set", () => {
  it("are findings of their own ids, each told once", () => {
    const nobody = found("matches-nothing", policy(allow(["GET /a"], "", "labels: { app: nobody }")));
    expect(nobody).toMatchObject([{ message: "no workload of the namespace `shop` has these labels" }]);
    expect(found("unknown-listener", policy(allow(["tcp 99"])))).toHaveLength(1);
    expect(found("unusual-method", policy(allow(["BREW /a"])))).toHaveLength(1);
    expect(found("literal-colon", policy(allow(["GET /a/:id"])))).toHaveLength(1);
  });

  it("have fingerprints that tell two rules apart and outlive moves in the text", () => {
    const two = policy(`${allow(["tcp 99"])}    - { name: b, from: [{ workload: web }], requests: ["tcp 99"] }\n`);
    const prints = (text: string): readonly string[] =>
      lintText(text)
        .filter(({ id }) => id === "unknown-listener")
        .map(({ fingerprint }) => fingerprint);
    expect(new Set(prints(two)).size).toBe(2);
    expect(prints(`# a comment\n\n${two}`)).toEqual(prints(two));
  });
});
