import { describe, expect, it } from "vitest";
import { all, names, only, part, render } from "./testing/look.ts";
import { listen, meshOf, sidecar, workload } from "./testing/sidecars.ts";

const probes = { port: 15021, paths: ["/healthz", "/readyz"] };
function rendered(listens = [listen()]) {
  const web = workload("web", sidecar({ listens, probes }));
  return render({ workload: web, set: meshOf([web]) });
}

describe("the probes listener", () => {
  const config = part(rendered(), "listeners", "probes");

  it("leads to the app with the literal paths by GET and HEAD, and nowhere with anything else", () => {
    const routes = only(config, "routes");
    expect(Array.isArray(routes) && routes.map(({ match }) => match.path ?? match.prefix)).toEqual([
      "/healthz",
      "/readyz",
      "/",
    ]);
    expect(Array.isArray(routes) && routes.at(-1)).toEqual({
      match: { prefix: "/" },
      direct_response: { status: 404 },
    });
    expect(all(config, "regex")).toEqual(["GET|HEAD", "GET|HEAD"]);
    expect(all(config, "exact")).toEqual(["/healthz", "/readyz"]);
  });

  it("is bounded in rate and carries no identity", () => {
    expect(only(config, "token_bucket")).toMatchObject({ fill_interval: "1s" });
    expect(only(config, "filter_enforced")).toEqual({ default_value: { numerator: 100, denominator: "HUNDRED" } });
    expect(all(config, "header")).toEqual([]);
    expect(all(config, "upgrade_configs")).toEqual([]);
  });

  it("is not there unless it is asked for", () => {
    const web = workload("web", sidecar({ listens: [listen()] }));
    expect(names(render({ workload: web, set: meshOf([web]) }), "listeners")).toEqual(["mesh_8443"]);
  });

  it("needs an http listener, whose app it asks", () => {
    expect(() => rendered([listen({ protocol: "tcp" })])).toThrow(
      expect.objectContaining({ code: "ERR_ENVOY_CONFIG" }),
    );
  });
});
