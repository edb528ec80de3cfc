import { describe, expect, it } from "vitest";
import { AuthorityError } from "../authority-error.ts";
import { guardHost, isLoopback } from "./host-guard.ts";

function refusal(
  host: string | undefined,
  options: { origin?: string; localAddress?: string; names?: string[] } = {},
): string {
  try {
    const { origin, localAddress = "127.0.0.1", names = [] } = options;
    guardHost({ host, origin, localAddress }, new Set(names));
    return "accepted";
  } catch (error) {
    return error instanceof AuthorityError ? error.code : String(error);
  }
}

describe("guardHost", () => {
  it.each(["127.0.0.1:7443", "localhost:7443", "LOCALHOST", "[::1]:7443", "127.9.9.9"])(
    "accepts %s on loopback",
    (host) => {
      expect(refusal(host)).toBe("accepted");
    },
  );

  it.each([
    "evil.example:7443",
    "127.0.0.1.evil.example",
    "localhost.evil.example:7443",
    "user@127.0.0.1",
    "127.0.0.1, evil.example",
    "",
    undefined,
  ])("refuses %s on loopback", (host) => {
    expect(refusal(host)).toBe("ERR_AUTHORITY_HOST");
  });

  it("accepts a name that the operator gave", () => {
    expect(refusal("mesh.example", { names: ["mesh.example"] })).toBe("accepted");
  });

  it("leaves the host to the certificate where the connection is not loopback", () => {
    expect(refusal("mesh.example", { localAddress: "10.0.0.7" })).toBe("accepted");
  });

  it("accepts the own origin and refuses every other, the null origin included", () => {
    expect(refusal("127.0.0.1:7443", { origin: "https://127.0.0.1:7443" })).toBe("accepted");
    for (const origin of ["https://evil.example", "http://127.0.0.1:7443", "https://127.0.0.1:8080", "null"]) {
      expect(refusal("127.0.0.1:7443", { origin }), origin).toBe("ERR_AUTHORITY_ORIGIN");
    }
  });
});

describe("isLoopback", () => {
  it("knows the loopback's spellings and nothing else", () => {
    for (const address of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
      expect(isLoopback(address), address).toBe(true);
    for (const address of ["10.0.0.1", "::", "::ffff:10.0.0.1", "1127.0.0.1", undefined]) {
      expect(isLoopback(address), address).toBe(false);
    }
  });
});
