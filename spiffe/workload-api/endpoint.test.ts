import { describe, expect, it } from "vitest";
import { endpointTarget, parseEndpoint } from "./endpoint.ts";

describe("SPIFFE_ENDPOINT_SOCKET", () => {
  it.each([
    ["unix:///run/cellwall/shop.web/workload.sock", "unix:/run/cellwall/shop.web/workload.sock"],
    ["unix:/run/a.sock", "unix:/run/a.sock"],
    ["unix:///run/a%20b.sock", "unix:/run/a b.sock"],
    ["UNIX:///run/a.sock", "unix:/run/a.sock"],
    ["tcp://127.0.0.1:8000", "ipv4:127.0.0.1:8000"],
    ["tcp://[::1]:8000", "ipv6:[::1]:8000"],
  ])("E-3: `%s` is an address", (text, target) => {
    expect(parseEndpoint(text)).toBe(target);
  });

  it.each([
    "",
    "/run/a.sock",
    "run/a.sock",
    "unix:run/a.sock",
    "unix://run/a.sock",
    "unix://host/run/a.sock",
    "unix:///",
    "unix:////run/a.sock",
    "unix:///run/a.sock?x=1",
    "unix:///run/a.sock#x",
    "unix:///run/%zz",
    "unix:///run/%00",
    "tcp://localhost:8000",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1:65536",
    "tcp://127.0.0.1:8000/",
    "tcp://127.0.0.1:8000/x",
    "tcp://user@127.0.0.1:8000",
    "tcp://127.0.0.1:8000?x",
    "tcp://::1:8000",
    "tcp://[127.0.0.1]:8000",
    "tcp:127.0.0.1:8000",
    "http://127.0.0.1:8000",
    "file:///run/a.sock",
  ])("E-3: `%s` is none", (text) => {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_ENDPOINT" }));
  });

  it("E-3: counts only where no address is given, and its absence is told", () => {
    const environment = { SPIFFE_ENDPOINT_SOCKET: "unix:///b" };
    expect(endpointTarget("unix:///a", environment)).toBe("unix:/a");
    expect(endpointTarget(undefined, environment)).toBe("unix:/b");
    expect(() => endpointTarget(undefined, {})).toThrow(/SPIFFE_ENDPOINT_SOCKET/);
  });
});
