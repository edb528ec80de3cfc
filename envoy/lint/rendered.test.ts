import { describe, expect, it } from "vitest";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { render } from "../config/testing/look.ts";
import { call, listen, meshOf, sidecar, workload } from "../config/testing/sidecars.ts";
import { appEndpoints } from "./app-endpoints.ts";
import { behaviours } from "./behaviour.ts";
import { lintConfig } from "./lint-config.ts";
import { readSource } from "./source.ts";

const orders = workload(
  "orders",
  sidecar({
    listens: [
      listen({ port: 8443, upgrades: ["websocket"], app: "127.0.0.1:8080" }),
      listen({ port: 8444, appProtocol: "http2" }),
      listen({ port: 5432, protocol: "tcp" }),
      listen({ port: 2525, protocol: "tcp", speaksFirst: "server" }),
      listen({ port: 443, clients: "public", serverCertificate: "/etc/tls" }),
      listen({ port: 80, clients: "public" }),
    ],
    probes: { port: 9000, paths: ["/healthz"] },
  }),
);
const web = workload(
  "web",
  sidecar({
    address: "10.0.0.1",
    calls: [
      call("orders", 8443, "unix:/x"),
      call("orders", 5432, "127.0.0.1:99"),
      call("orders", 2525, "127.0.0.1:98"),
    ],
  }),
);
const set = meshOf([orders, web], { federated: [parseTrustDomain("other.example")] });

describe("a rendered sidecar", () => {
  it.each([
    [orders, 36],
    [orders, 40],
    [web, 36],
    [web, 40],
  ])("has no hole that lint knows (%#)", (one, minor) => {
    const envoyVersion = { major: 1, minor, patch: 10 };
    const listens = (one.sidecar?.listens ?? []).filter(({ protocol }) => protocol === "http" || minor > 36);
    const shown = one.sidecar === undefined ? one : { ...one, sidecar: { ...one.sidecar, listens } };
    const found = lintConfig(readSource("x", JSON.stringify(render({ workload: shown, set, envoyVersion }))), {
      envoyVersion,
    });
    expect(found.filter(({ severity }) => severity !== "note").map(({ message }) => message)).toEqual([]);
  });

  it("says what it refuses by itself: upgrades where none is enabled", () => {
    const all = behaviours(readSource("x", JSON.stringify(render({ workload: orders, set }))));
    const refusesUpgrades = (port: number) =>
      all.find((one) => one.port === port)?.refuses.some(({ what }) => what.startsWith("an upgrade"));
    expect([refusesUpgrades(8443), refusesUpgrades(8444)]).toEqual([false, true]);
  });

  it("names the apps behind its listeners, and no peer that it calls", () => {
    expect(appEndpoints(readSource("x", JSON.stringify(render({ workload: orders, set }))))).toEqual([
      { kind: "ip", address: "127.0.0.1", port: 8080 },
      { kind: "unix", path: "/run/app/web.sock" },
    ]);
    expect(appEndpoints(readSource("x", JSON.stringify(render({ workload: web, set }))))).toEqual([]);
  });
});
