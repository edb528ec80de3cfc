import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ENVOY = `# My proxy.
static_resources:
  listeners:
  - name: web   # the only one
    address: { socket_address: { address: 127.0.0.1, port_value: 8080 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": ${HCM}
          stat_prefix: web
          # Every path goes to the app.
          route_config: { virtual_hosts: [{ name: app, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }] }

          http_filters:
          - { name: envoy.filters.http.router, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }
  clusters:
  - { name: app, load_assignment: { cluster_name: app, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 8000 } } } }] }] } }
`;
const SET = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: m }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { mode: monitor }
`;

const folder = useTempFolder();
const file = (): string => join(folder(), "envoy.yaml");

async function cellwall(
  ...argv: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const io = capturedIo(folder());
  return { code: await run(argv, io), out: io.out(), err: io.err() };
}

function patch(...argv: string[]): ReturnType<typeof cellwall> {
  mkdirSync(join(folder(), "policies"), { recursive: true });
  writeFileSync(join(folder(), "policies", "set.yaml"), SET);
  return cellwall(
    "envoy",
    "patch",
    "envoy.yaml",
    "--workload",
    "orders",
    "--envoy-version",
    "1.40.0",
    "--run-dir",
    "/run/cw",
    ...argv,
  );
}

describe("cellwall envoy lint", () => {
  it("shows each hole with its place, and ends with 1", async () => {
    writeFileSync(file(), ENVOY);
    const { code, out } = await cellwall("envoy", "lint", "envoy.yaml");
    expect(out).toContain(
      "envoy.yaml:10:11: error: listener `web`: dot segments in paths are not resolved [path-not-normalized]",
    );
    expect(out).toMatch(
      /\d+ errors, \d+ warnings, \d+ notes: envoy\.yaml\n\d+ findings can be mended: cellwall envoy patch/,
    );
    expect(code).toBe(1);
  });

  it("writes JSON with paths and advisories, and SARIF", async () => {
    writeFileSync(file(), ENVOY);
    const json: { findings: { id: string; path: string; advisories: string[] }[] } = JSON.parse(
      (await cellwall("envoy", "lint", "envoy.yaml", "--output", "json")).out,
    );
    expect(json.findings).toContainEqual(
      expect.objectContaining({
        id: "path-not-normalized",
        path: "$.static_resources.listeners[0].filter_chains[0].filters[0].typed_config",
        advisories: ["CVE-2019-9901", "GHSA-xcx5-93pw-jw2w"],
        fixable: true,
      }),
    );
    const sarif: { version: string; runs: { results: { ruleId: string }[] }[] } = JSON.parse(
      (await cellwall("envoy", "lint", "envoy.yaml", "--output", "sarif")).out,
    );
    expect(sarif.version).toBe("2.1.0");
    expect(sarif.runs[0]?.results.map(({ ruleId }) => ruleId)).toContain("no-authorization");
  });

  it("is silenced by a comment with a reason, and only by one that silences something", async () => {
    const admin = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }\n";
    writeFileSync(file(), `# cellwall:ignore admin-on-tcp one user on this host\n${admin}${ENVOY}`);
    const silenced = (await cellwall("envoy", "lint", "envoy.yaml")).out;
    expect(silenced).not.toContain("[admin-on-tcp]");
    expect(silenced).toContain("1 suppressed");
  });

  it("asks a running Envoy for its configuration", async () => {
    const dump = {
      configs: [
        {
          "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
          bootstrap: {
            node: { user_agent_build_version: { version: { major_number: 1, minor_number: 38, patch: 3 } } },
            static_resources: {},
          },
        },
      ],
    };
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/config_dump" ? 200 : 404;
      response.end(JSON.stringify(dump));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const { code, out } = await cellwall("envoy", "lint", `http://127.0.0.1:${port}`);
      expect(out).toContain("this Envoy has published authorization bypasses: Envoy 1.38.3");
      expect(out).not.toContain("envoy patch");
      expect(code).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it.each([
    ["envoy.yaml", "nowhere.yaml", 3, "cannot read `nowhere.yaml`: ENOENT"],
    ["envoy.yaml", "https://127.0.0.1:1", 2, "speaks plain HTTP"],
    ["envoy.yaml", "http://127.0.0.1:1", 3, "nothing answers at `http://127.0.0.1:1`: ECONNREFUSED"],
    ["bad.yaml", "bad.yaml", 3, "bad.yaml:2:1: no YAML or JSON"],
    ["other.yaml", "other.yaml", 3, "other.yaml:1:1: no Envoy configuration"],
  ])("says of %s as %s what is wrong", async (name, argument, wanted, message) => {
    writeFileSync(join(folder(), name), name === "bad.yaml" ? "a: [1\nb: 2\n" : "kind: Other\n");
    const { code, err } = await cellwall("envoy", "lint", argument);
    expect(err).toContain(message);
    expect(code).toBe(wanted);
  });
});

describe("cellwall envoy patch", () => {
  it("shows a difference that only adds, and writes nothing", async () => {
    writeFileSync(file(), ENVOY);
    const { code, out, err } = await patch();
    const removed = out.split("\n").filter((line) => line.startsWith("-") && !line.startsWith("---"));
    // Two values in braces are lengthened where they stand.
    expect(removed.length).toBeLessThanOrEqual(2);
    expect(out).toContain("--- a/envoy.yaml\n+++ b/envoy.yaml\n@@");
    expect(out).toContain("+          normalize_path: true");
    expect(err).toMatch(/\d+ findings mended; --write writes envoy\.yaml/);
    expect([code, readFileSync(file(), "utf8")]).toEqual([0, ENVOY]);
  });

  it("writes the file with its comments and its mode, and changes nothing the second time", async () => {
    writeFileSync(file(), ENVOY);
    chmodSync(file(), 0o640);
    expect((await patch("--write")).code).toBe(0);
    const text = readFileSync(file(), "utf8");
    for (const line of ENVOY.split("\n").filter((one) => /#/.test(one))) expect(text).toContain(line);
    expect(text).toContain("failure_mode_allow: false");
    expect(text).toContain("path: /run/cw/shop.orders/authz.sock");
    expect(statSync(file()).mode & 0o777).toBe(0o640);
    const again = await patch("--write", "--check");
    expect([again.code, again.out]).toEqual([0, ""]);
    expect(again.err).toContain("ok: `envoy.yaml` is a sidecar of orders already");
    expect(readFileSync(file(), "utf8")).toBe(text);
  });

  it("turns a plaintext listener into one of the mesh with --mtls, also after it was patched without", async () => {
    writeFileSync(file(), ENVOY);
    await patch("--write");
    expect(readFileSync(file(), "utf8")).toContain("cellwall.listener: edge");
    await patch("--write", "--mtls");
    const text = readFileSync(file(), "utf8");
    expect(text).toContain("cellwall.listener: mesh");
    expect(text).toContain("require_client_certificate: true");
    expect(text).toContain("spiffe://shop.example/");
    expect((await patch("--mtls", "--check")).code).toBe(0);
  });

  it("ends with 1 under --check where something would change", async () => {
    writeFileSync(file(), ENVOY);
    expect((await patch("--check")).code).toBe(1);
  });

  it("leaves an error to the user that nobody else can mend, and ends with 1", async () => {
    writeFileSync(
      file(),
      ENVOY.replace(
        "static_resources:",
        "admin: { address: { socket_address: { address: 0.0.0.0, port_value: 9901 } } }\nstatic_resources:",
      ),
    );
    const { code, err } = await patch("--write");
    expect(err).toContain("[admin-exposed]");
    expect(code).toBe(1);
  });

  it("refuses what is no bootstrap of its own", async () => {
    writeFileSync(file(), "static_resources: { clusters: [] }\n");
    const { code, err } = await patch();
    expect(err).toContain("without static listeners, so there is nothing here to patch");
    expect(code).toBe(3);
  });
});
