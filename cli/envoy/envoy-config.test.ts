import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
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

  it("names the file that listeners come from, which can be linted by itself", async () => {
    const lds = "lds_config: { path_config_source: { path: listeners.yaml } }";
    writeFileSync(file(), `dynamic_resources: { ${lds} }\n`);
    const { listeners } = parse(ENVOY).static_resources;
    const type = "type.googleapis.com/envoy.config.listener.v3.Listener";
    const resources = listeners.map((one: object) => ({ "@type": type, ...one }));
    writeFileSync(join(folder(), "listeners.yaml"), stringify({ resources }));
    const { out } = await cellwall("envoy", "lint", "envoy.yaml");
    expect(out).toContain("remedy: look at that file as well: `cellwall envoy lint listeners.yaml`");
    expect((await cellwall("envoy", "lint", "listeners.yaml")).out).toContain("[no-authorization]");
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
    ["envoy.yaml", "nowhere.yaml", 3, "cannot read `nowhere.yaml`: there is no such file or folder"],
    ["envoy.yaml", "https://127.0.0.1:1", 2, "speaks plain HTTP"],
    ["envoy.yaml", "http://127.0.0.1:1", 3, "nothing answers at `http://127.0.0.1:1`: nothing listens there"],
    ["bad.yaml", "bad.yaml", 3, "bad.yaml:2:1: no YAML or JSON"],
    ["several.yaml", "several.yaml", 3, "several.yaml:2:1: no YAML or JSON: a second document begins here"],
    ["other.yaml", "other.yaml", 3, "other.yaml:1:1: no Envoy configuration"],
  ])("says of %s as %s what is wrong", async (name, argument, wanted, message) => {
    const texts = new Map([
      ["bad.yaml", "a: [1\nb: 2\n"],
      ["several.yaml", "kind: Other\n---\nkind: Other\n"],
    ]);
    writeFileSync(join(folder(), name), texts.get(name) ?? "kind: Other\n");
    const { code, err } = await cellwall("envoy", "lint", argument);
    expect(err).toContain(message);
    expect(code).toBe(wanted);
  });

  it("takes what is no version of Envoy for wrong usage, and says how one is written", async () => {
    writeFileSync(join(folder(), "envoy.yaml"), ENVOY);
    const { code, out, err } = await cellwall("envoy", "lint", "envoy.yaml", "--envoy-version", "1.40");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("`1.40` is no version of Envoy\n hint: write it with its three numbers");
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
    expect(err).toMatch(/\d+ findings would be mended; --write writes envoy\.yaml/);
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

  it.each([
    ["static_resources: { clusters: [] }\n", "envoy.yaml:1:1: there is no listener in it"],
    ["configs: []\n", "envoy.yaml:1:1: this is what a running Envoy says of itself"],
    ["resources: []\n", "envoy.yaml:1:1: these are xDS resources"],
    [
      "dynamic_resources:\n  lds_config: { path_config_source: { path: /etc/envoy/lds.yaml } }\n",
      "envoy.yaml:2:15: its listeners come from the file `/etc/envoy/lds.yaml`",
    ],
    [
      "dynamic_resources:\n  lds_config: { api_config_source: { grpc_services: [{ envoy_grpc: { cluster_name: xds } }] } }\n",
      "envoy.yaml:2:15: its listeners come from the server of cluster `xds`",
    ],
  ])("refuses what has nothing that can be patched: %j", async (text, message) => {
    writeFileSync(file(), text);
    const { code, err } = await patch();
    expect(err).toContain(message);
    expect(err).toMatch(/hint: .+/);
    expect(code).toBe(3);
  });

  it("leads an Envoy to the sockets of another workload or run folder when it is patched for them", async () => {
    writeFileSync(file(), ENVOY);
    await patch("--write");
    const again = await patch("--write", "--run-dir", "/run/other");
    expect(again.err).toContain("written: envoy.yaml, 2 findings mended");
    const text = readFileSync(file(), "utf8");
    expect([text.includes("/run/cw/"), text.includes("path: /run/other/shop.orders/authz.sock")]).toEqual([
      false,
      true,
    ]);
  });

  it("says what is not in the text: listeners and routes that a server sends", async () => {
    const rds = "rds: { route_config_name: all, config_source: { ads: {} } }";
    const lds = "dynamic_resources: { lds_config: { ads: {} } }\n";
    writeFileSync(file(), lds + ENVOY.replace(/route_config: .*/, rds));
    const { code, err } = await patch("--write");
    expect(err).toMatch(/warning: this Envoy: parts of the configuration .*: listeners \[unseen-resources\]/);
    expect(err).toMatch(/warning: listener `web`: parts of the configuration .*: routes \[unseen-resources\]/);
    expect(code).toBe(0);
    // Routes tell the agent which headers are kept from it, so here none is.
    expect(readFileSync(file(), "utf8")).not.toContain("disallowed_headers");
    expect((await patch("--check")).code).toBe(0);
  });

  it("takes another authority's certificate from where the mesh says that it is, and refuses --mtls where it does not", async () => {
    const issuer = (more: string) =>
      SET.replace("enforce }", `enforce, identity: { issuer: external, bundle: { file: /x.pem }${more} } }`);
    const patchFor = async (set: string) => {
      writeFileSync(file(), ENVOY);
      mkdirSync(join(folder(), "external"), { recursive: true });
      writeFileSync(join(folder(), "external", "set.yaml"), set);
      return patch("external", "--mtls", "--write");
    };
    expect((await patchFor(issuer(', certificates: { sds: "unix:/run/spire/agent.sock" }'))).code).toBe(0);
    const text = readFileSync(file(), "utf8");
    expect(text).toContain("path: /run/spire/agent.sock");
    expect(text.match(/- name: cellwall_identity/g)).toHaveLength(1);
    expect(text.match(/- name: cellwall_envoy$/gm)).toHaveLength(1);
    const refused = await patchFor(issuer(""));
    expect(refused.err).toContain("nothing says where this Envoy finds its own");
    expect(refused.err).toContain("hint: add `certificates: { sds: unix:/… }`");
    expect([refused.code, readFileSync(file(), "utf8")]).toEqual([3, ENVOY]);
  });
});
