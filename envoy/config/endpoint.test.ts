import { describe, expect, it } from "vitest";
import { hostEndpoint, isLocal, listenerAddress, parseEndpoint, upstreamAddress } from "./endpoint.ts";
import { listen } from "./testing/sidecars.ts";

const { span } = listen();
const read = (text: string) => parseEndpoint(text, span);

describe("parseEndpoint", () => {
  it.each([
    ["unix:/run/app.sock", { kind: "unix", path: "/run/app.sock" }],
    ["127.0.0.1:8080", { kind: "ip", address: "127.0.0.1", port: 8080 }],
    ["[::1]:8080", { kind: "ip", address: "::1", port: 8080 }],
    ["localhost:1", { kind: "ip", address: "127.0.0.1", port: 1 }],
    ["orders.shop.svc:65535", { kind: "name", name: "orders.shop.svc", port: 65535 }],
  ])("reads %s", (text, endpoint) => expect(read(text)).toEqual(endpoint));

  it.each([
    "",
    "unix:",
    "unix:run/app.sock",
    "orders",
    "orders:",
    ":80",
    "a:0",
    "a:65536",
    "a:08",
    "::1:80",
    "a:80 ",
    `unix:/${"x".repeat(107)}`,
  ])("refuses %j with its place", (text) => {
    const refusal = { code: "ERR_ENVOY_CONFIG", message: expect.stringMatching(/^mesh\.yaml:3:5: /) };
    expect(() => read(text)).toThrow(expect.objectContaining(refusal));
  });
});

it("knows what only this host can reach", () => {
  const local = ["unix:/a", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"];
  const reachable = ["10.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::ffff:127.0.0.1]:1", "loopback.example:1"];
  expect(local.filter((text) => isLocal(read(text)))).toEqual(local);
  expect(reachable.filter((text) => isLocal(read(text)))).toEqual([]);
});

it("opens a listening unix socket to its owner only", () => {
  expect(listenerAddress({ kind: "unix", path: "/a" })).toEqual({ pipe: { path: "/a", mode: 0o600 } });
  expect(upstreamAddress({ kind: "unix", path: "/a" })).toEqual({ pipe: { path: "/a" } });
  expect(upstreamAddress(hostEndpoint("db", 5))).toEqual({ socket_address: { address: "db", port_value: 5 } });
});
