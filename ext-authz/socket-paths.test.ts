import { describe, expect, it } from "vitest";
import { AgentError } from "./agent-error.ts";
import { MAX_SOCKET_PATH_BYTES, socketPaths } from "./socket-paths.ts";

describe("socketPaths", () => {
  it("puts three sockets into a folder of the workload's own", () => {
    expect(socketPaths("/run/cellwall", { namespace: "shop", name: "orders" })).toEqual({
      authz: "/run/cellwall/shop.orders/authz.sock",
      envoy: "/run/cellwall/shop.orders/envoy.sock",
      workload: "/run/cellwall/shop.orders/workload.sock",
    });
  });

  it("gives different workloads different folders", () => {
    const folders = [
      socketPaths("/r", { namespace: "a", name: "b-c" }).authz,
      socketPaths("/r", { namespace: "a-b", name: "c" }).authz,
    ];
    expect(new Set(folders).size).toBe(2);
  });

  it("accepts a path of exactly the limit and refuses one byte more, with a remedy", () => {
    const rest = "/n.w/workload.sock".length;
    const fits = `/${"r".repeat(MAX_SOCKET_PATH_BYTES - rest - 1)}`;
    expect(socketPaths(fits, { namespace: "n", name: "w" }).workload).toHaveLength(MAX_SOCKET_PATH_BYTES);
    const error = thrown(() => socketPaths(`${fits}r`, { namespace: "n", name: "w" }));
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({ code: "ERR_AGENT_SOCKET_PATH", hint: expect.stringContaining("shorter") });
  });

  it("counts bytes, not characters", () => {
    expect(() => socketPaths(`/${"é".repeat(45)}`, { namespace: "n", name: "w" })).toThrow(/106 bytes/);
  });

  it.each(["..", "a/b", "", "A", "a.b", "-a", "a".repeat(64)])("refuses the name `%s`", (name) => {
    expect(() => socketPaths("/r", { namespace: "n", name })).toThrow(AgentError);
    expect(() => socketPaths("/r", { namespace: name, name: "w" })).toThrow(AgentError);
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
