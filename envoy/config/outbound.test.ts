import { describe, expect, it } from "vitest";
import type { Call, Sidecar } from "../../policies/index.ts";
import { all, only, part, render } from "./testing/look.ts";
import { call, listen, meshOf, sidecar, workload } from "./testing/sidecars.ts";

const tcp = listen({ protocol: "tcp", port: 5432 });

/** `web` with one call, and a callee `orders`. */
function rendered(one: Call, callee?: Partial<Sidecar>) {
  const web = workload("web", sidecar({ calls: [one] }));
  const orders = workload("orders", callee === undefined ? undefined : sidecar(callee));
  return render({ workload: web, set: meshOf([web, orders]) });
}
const NAME = "to_shop_orders_8443";
const http = (callee: Partial<Sidecar> = { listens: [listen()] }) =>
  rendered(call("orders", 8443, "unix:/run/to.sock"), callee);

describe("a call", () => {
  it("listens on a socket for the app's own user and leads to the callee alone", () => {
    const config = http();
    expect(only(part(config, "listeners", NAME), "address")).toEqual({ pipe: { path: "/run/to.sock", mode: 0o600 } });
    expect(all(part(config, "clusters", NAME), "exact")).toEqual(["spiffe://shop.example/shop/orders"]);
  });

  it("speaks HTTP/2 to the callee's sidecar, over connections of bounded age", () => {
    const peer = part(http(), "clusters", NAME);
    expect(only(peer, "alpn_protocols")).toEqual(["h2"]);
    expect(only(peer, "max_connection_duration")).toBe("900s");
    expect(all(peer, "allow_connect")).toEqual([]);
  });

  it("sends again only what cannot have reached the callee", () => {
    expect(only(part(http(), "listeners", NAME), "retry_on")).toBe("connect-failure,refused-stream");
  });

  it("upgrades where the callee does", () => {
    const config = http({ listens: [listen({ upgrades: ["websocket"] })] });
    expect(only(part(config, "listeners", NAME), "upgrade_configs")).toEqual([{ upgrade_type: "websocket" }]);
    expect(only(part(config, "clusters", NAME), "allow_connect")).toBe(true);
  });

  it("carries bytes where the callee's listener is tcp", () => {
    const config = rendered(call("orders", 5432, "127.0.0.1:15432"), { listens: [tcp] });
    const filters = only(part(config, "listeners", "to_shop_orders_5432"), "filters");
    expect(filters).toMatchObject([{ name: "envoy.filters.network.tcp_proxy" }]);
    expect(all(part(config, "clusters", "to_shop_orders_5432"), "alpn_protocols")).toEqual([]);
  });

  it.each([
    ["10.0.0.7", "STATIC"],
    ["fd00::7", "STATIC"],
    ["orders.shop.svc", "STRICT_DNS"],
  ])("finds a callee at %s by %s", (address, type) => {
    expect(part(http({ address, listens: [listen()] }), "clusters", NAME).type).toBe(type);
  });
});

describe("a call that cannot be rendered", () => {
  const here = call("orders", 8443, "unix:/run/to.sock");
  it.each<[string, () => unknown, string]>([
    ["of a workload without a sidecar", () => rendered(here), "has no `sidecar`"],
    ["of nobody", () => rendered(call("nobody", 1, "unix:/a"), {}), "`shop/nobody` is registered"],
    ["of a port that is not there", () => rendered(here, { listens: [tcp] }), "does not listen on port 8443"],
    ["of a public listener", () => rendered(here, { listens: [listen({ clients: "public" })] }), "public listener"],
    ["from everywhere", () => rendered(call("orders", 8443, "0.0.0.0:80"), { listens: [listen()] }), "is not local"],
    ["from a name", () => rendered(call("orders", 8443, "host.example:80"), { listens: [listen()] }), "is not local"],
  ])("%s is refused with its place", (_what, attempt, message) => {
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "ERR_ENVOY_CONFIG",
        message: expect.stringMatching(/^mesh\.yaml:3:5: /),
        hint: expect.any(String),
      }),
    );
    expect(attempt).toThrow(message);
  });
});
