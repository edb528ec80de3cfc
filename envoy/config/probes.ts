import { cluster, httpOptions } from "./cluster.ts";
import { configError } from "./config-error.ts";
import { connectionManager, listener } from "./connection-manager.ts";
import { inboundAddress, type Part, type RenderContext } from "./context.ts";
import { parseEndpoint } from "./endpoint.ts";
import { extension, type JsonObject } from "./json.ts";

const NAME = "probes";
const PER_SECOND = 50;

/**
 * The plaintext listener for health probes, the one way to an app without authorization: GET and HEAD of literal paths without a
 * query, at a bounded rate, to the workload's first HTTP listener's app.
 */
export function probesListener(context: RenderContext): Part {
  const { probes } = context.sidecar;
  if (probes === undefined) return { listeners: [], clusters: [] };
  const app = context.sidecar.listens.find(({ protocol }) => protocol === "http");
  if (app === undefined) {
    const { span } = context.workload;
    throw configError(span, "`probes` need an http listener whose app they ask", "add one, or remove `probes`");
  }
  const manager = connectionManager({
    name: NAME,
    headers: { removes: "all", keep: [], identity: "none" },
    upgrades: [],
    filters: [rateLimit()],
    routes: [...probes.paths.map(probeRoute), NOTHING_ELSE],
    forwarding: { use_remote_address: true, forward_client_cert_details: "SANITIZE" },
  });
  const options = httpOptions(
    app.appProtocol === "http2" ? { http2_protocol_options: {} } : { http_protocol_options: {} },
    { idle_timeout: "3s" },
  );
  return {
    listeners: [listener({ name: NAME, address: inboundAddress(context, probes.port), filters: [manager] })],
    clusters: [cluster(NAME, parseEndpoint(app.app, app.span), { more: options })],
  };
}

/** `:path` holds the query as well, so comparing it whole lets none through. */
function probeRoute(path: string): JsonObject {
  const header = (name: string, match: JsonObject): JsonObject => ({ name, string_match: match });
  return {
    match: {
      path,
      headers: [header(":path", { exact: path }), header(":method", { safe_regex: { regex: "GET|HEAD" } })],
    },
    route: { cluster: NAME, timeout: "10s" },
  };
}

const NOTHING_ELSE: JsonObject = { match: { prefix: "/" }, direct_response: { status: 404 } };

function rateLimit(): JsonObject {
  const always = { default_value: { numerator: 100, denominator: "HUNDRED" } };
  return extension(
    "envoy.filters.http.local_ratelimit",
    "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    {
      stat_prefix: NAME,
      token_bucket: { max_tokens: PER_SECOND, tokens_per_fill: PER_SECOND, fill_interval: "1s" },
      filter_enabled: always,
      filter_enforced: always,
    },
  );
}
