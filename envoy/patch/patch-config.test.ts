import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { lintConfig } from "../lint/lint-config.ts";
import { readJson } from "../lint/read-json.ts";
import { readSource } from "../lint/source.ts";
import { TARGET, VERSION } from "../lint/testing/hardened.ts";
import { toJson } from "../lint/to-json.ts";
import { patchConfig } from "./patch-config.ts";

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

// Every style at once: dashes in the column of their key and further right, comments at every place, braces, quotes, blank lines.
const TEXT = `# Ours since 2019. Do not touch!

static_resources:
  # one listener
  listeners:
  - name: "web"          # quoted
    address: {socket_address: {address: 0.0.0.0, port_value: 8080}}

    filter_chains:
      - filters:
        - typed_config:
            '@type': ${HCM}
            stat_prefix: web
            normalize_path: false   # an old app
            common_http_protocol_options: {idle_timeout: 60s}
            http_filters:

            # the last filter
            - name: envoy.filters.http.router
              typed_config: {'@type': ${ROUTER}}

            # the routes
            route_config:
                virtual_hosts:
                    - name: all
                      domains: ['*']
                      routes:
                          - match: {prefix: /}
                            route: {cluster: app}   # plain

          name: envoy.filters.network.http_connection_manager
  clusters: [{name: app, load_assignment: {cluster_name: app}}]
# the end
`;

const patched = (text: string): string => patchConfig(readSource("envoy.yaml", text), TARGET).text;
const ids = (text: string): readonly string[] =>
  lintConfig(readSource("envoy.yaml", text), { envoyVersion: VERSION }).map(({ id }) => id);

describe("patchConfig", () => {
  it("keeps every line that it does not change, in order, whatever the style", () => {
    const after = patched(TEXT).split("\n");
    const kept = TEXT.split("\n").filter((line) => !/normalize_path|common_http|clusters:/.test(line));
    let from = 0;
    for (const line of kept) {
      const found = after.indexOf(line, from);
      expect(found, line).toBeGreaterThanOrEqual(from);
      from = found + 1;
    }
  });

  it("changes a value where it stands and keeps the comment behind it", () => {
    expect(patched(TEXT)).toContain("            normalize_path: true   # an old app\n");
    expect(patched(TEXT)).toMatch(/common_http_protocol_options: \{idle_timeout: 60s, .*\}\n/);
  });

  it("puts authorization before the router and before the comment that belongs to it", () => {
    const text = patched(TEXT);
    const [authz, comment, router] = [
      "name: envoy.filters.http.ext_authz\n",
      "# the last filter",
      "name: envoy.filters.http.router",
    ].map((one) => text.indexOf(one));
    expect(authz).toBeGreaterThan(0);
    expect(authz).toBeLessThan(comment ?? 0);
    expect(comment).toBeLessThan(router ?? 0);
  });

  it("leaves nothing that it could have mended, and changes nothing the second time", () => {
    const text = patched(TEXT);
    expect(ids(text)).toEqual([]);
    expect(patched(text)).toBe(text);
    // The text is what its own reader takes it for.
    expect(toJson(readSource("envoy.yaml", text).root)).toEqual(parse(text));
  });

  it("has listeners of the mesh tell of what stays open, and keeps how often the user's own logs are written", () => {
    const managerOf = (text: string) =>
      parse(text).static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
    const logsOf = (text: string): readonly string[] =>
      managerOf(text).access_log.map(
        (log: { typed_config: { common_config: { log_name: string } } }) => log.typed_config.common_config.log_name,
      );
    const mesh = (text: string): string => patchConfig(readSource("envoy.yaml", text), { ...TARGET, mtls: true }).text;
    expect(logsOf(patched(TEXT))).toEqual(["cellwall-refused"]);
    expect(managerOf(patched(TEXT)).access_log_options).toBeUndefined();
    expect(logsOf(mesh(TEXT))).toEqual(["cellwall-refused", "cellwall-open"]);
    expect(managerOf(mesh(TEXT)).access_log_options).toEqual({ access_log_flush_interval: "5s" });
    expect(mesh(patched(TEXT))).toContain("cellwall-open");
    expect(mesh(mesh(TEXT))).toBe(mesh(TEXT));
    const own = TEXT.replace(
      "stat_prefix: web",
      "stat_prefix: web\n            access_log_options: {access_log_flush_interval: 60s}",
    );
    expect(managerOf(mesh(own)).access_log_options).toEqual({ access_log_flush_interval: "60s" });
  });

  it("keeps the line ends of a file from Windows", () => {
    const text = patched(TEXT.replaceAll("\n", "\r\n"));
    expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(text.replaceAll("\r\n", "\n")).toBe(patched(TEXT));
  });

  it("takes a file that does not end in a newline", () => {
    expect(ids(patched(TEXT.replace(/\n# the end\n$/, "")))).toEqual([]);
  });

  it("refuses what an anchor makes one and two listeners would have differ", () => {
    const twice = TEXT.replace("- filters:", "- &chain\n        filters:").replace(
      "  clusters:",
      "  - name: second\n    address: {socket_address: {address: 0.0.0.0, port_value: 8081}}\n    filter_chains: [*chain]\n  clusters:",
    );
    expect(() => patched(twice)).toThrow(/the patch does not come to an end/);
  });

  it("adds its own authorization beside another server's, under another name", () => {
    const other = `            - name: envoy.filters.http.ext_authz
              typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, transport_api_version: V3, failure_mode_allow: true, grpc_service: {envoy_grpc: {cluster_name: opa}}}
`;
    const text = patched(TEXT.replace("            # the last filter\n", `${other}            # the last filter\n`));
    expect(text).toContain("failure_mode_allow: false, grpc_service: {envoy_grpc: {cluster_name: opa}");
    expect(text).toContain("- name: cellwall_authz");
    expect(patched(text)).toBe(text);
  });
});

describe("readJson", () => {
  it("reads what JSON.parse reads, and nothing else", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, at, piece) => {
        expect(JSON.stringify(toJson(readJson(text)))).toBe(JSON.stringify(parsed(text)));
        const broken = text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1));
        expect(reads(broken)).toBe(parsed(broken) !== undefined);
      }),
    );
  });

  it("knows where each value stands", () => {
    const text = '{ "a": [1, {"b": "x"}] }';
    const root = readJson(text);
    const a = root.kind === "map" ? root.entries[0]?.value : undefined;
    const inner = a?.kind === "seq" ? a.items[1] : undefined;
    expect(inner && text.slice(inner.start, inner.end)).toBe('{"b": "x"}');
    expect(inner?.path).toBe("$.a[1]");
  });
});

function reads(text: string): boolean {
  try {
    readJson(text);
    return true;
  } catch {
    return false;
  }
}

/** The value, with nulls as the empty texts that `toJson` makes of them. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => (value === null ? "" : value));
  } catch {
    return undefined;
  }
}
