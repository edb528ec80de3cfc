import { describe, expect, it } from "vitest";
import { printable } from "./printable.ts";

describe("printable", () => {
  it("escapes control, bidi, zero-width and tag characters and lone surrogates", () => {
    expect(printable("a\u001b[31m\nb\u202ec\u200bd\ufeffe\ud800f\u{e0041}g\u2028h\u0085i\u00adj\u061ck")).toBe(
      "a\\u001b[31m\\u000ab\\u202ec\\u200bd\\ufeffe\\ud800f\\u{e0041}g\\u2028h\\u0085i\\u00adj\\u061ck",
    );
  });

  it("keeps other text as it is", () => {
    expect(printable("café 商店 👩 `x`")).toBe("café 商店 👩 `x`");
  });

  it("cuts what is longer, also after escaping, and never through a surrogate pair", () => {
    expect(printable("x".repeat(300))).toBe(`${"x".repeat(255)}…`);
    expect(printable("x".repeat(256))).toBe("x".repeat(256));
    expect(printable("\0".repeat(100)).length).toBe(256);
    expect(printable("ab👩cd", 4)).toBe("ab…");
  });
});
