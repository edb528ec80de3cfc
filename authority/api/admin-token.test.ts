import { describe, expect, it } from "vitest";
import { AuthorityError } from "../authority-error.ts";
import { createAdminToken, requireAdmin } from "./admin-token.ts";

const TOKEN = createAdminToken();

function outcome(authorization: string | undefined, remoteAddress: string | undefined = "127.0.0.1"): string {
  try {
    requireAdmin({ authorization, remoteAddress }, TOKEN);
    return "admin";
  } catch (error) {
    return error instanceof AuthorityError ? error.code : String(error);
  }
}

describe("requireAdmin", () => {
  it("accepts the token over loopback", () => {
    expect(outcome(`Bearer ${TOKEN}`)).toBe("admin");
    expect(outcome(`bearer ${TOKEN}`, "::ffff:127.0.0.1")).toBe("admin");
  });

  it("refuses the token from another host", () => {
    for (const address of ["10.0.0.7", "::ffff:10.0.0.7", undefined]) {
      expect(outcome(`Bearer ${TOKEN}`, address ?? "")).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
    }
  });

  it.each([
    ["none", undefined],
    ["an empty one", "Bearer "],
    ["a prefix", `Bearer ${TOKEN.slice(0, -1)}`],
    ["one with more behind it", `Bearer ${TOKEN}x`],
    ["another scheme", `Basic ${TOKEN}`],
    ["two", `Bearer ${TOKEN}, Bearer ${TOKEN}`],
  ])("refuses %s", (_what, authorization) => {
    expect(outcome(authorization)).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
  });

  it("makes tokens of 256 bits, each another", () => {
    expect(Buffer.from(TOKEN, "base64url")).toHaveLength(32);
    expect(createAdminToken()).not.toBe(TOKEN);
  });
});
