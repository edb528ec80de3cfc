import { configView } from "./config-view.ts";
import { earlyHeaders } from "./early-headers.ts";
import { scopeOf } from "./lint-context.ts";
import type { HttpView } from "./listener-view.ts";
import type { ConfigSource } from "./source.ts";
import { at, flag, items, number, seconds, text } from "./tree.ts";

/** What a listener does with a request by itself, whatever the policies say. */
export interface Behaviour {
  /** Name of the listener. */
  readonly listener: string;
  readonly port: number | undefined;
  /** Requests that it answers itself. */
  readonly refuses: readonly Refusal[];
  /** What it changes before anybody decides. */
  readonly changes: readonly string[];
  /** When it ends what it let through. */
  readonly ends: readonly string[];
}

/** Requests that are refused before authorization. */
export interface Refusal {
  readonly what: string;
  readonly status: number;
}

/** Reads off a configuration what each of its HTTP listeners for callers refuses, changes and ends by itself. */
export function behaviours(source: ConfigSource): readonly Behaviour[] {
  return configView(source).listeners.flatMap((listener) =>
    listener.chains.flatMap((chain) =>
      chain.http === undefined || chain.direction === "egress"
        ? []
        : [
            {
              listener: listener.name || scopeOf(chain),
              port: listener.port,
              ...behaviourOf(chain.http, chain.tls !== undefined),
            },
          ],
    ),
  );
}

function behaviourOf(http: HttpView, tls: boolean): Pick<Behaviour, "refuses" | "changes" | "ends"> {
  return { refuses: refusals(http), changes: changes(http), ends: ends(http, tls) };
}

const DEFAULT_HEADERS = 100;
const DEFAULT_HEADERS_KIB = 60;

function refusals({ node }: HttpView): readonly Refusal[] {
  const common = at(node, "common_http_protocol_options");
  const is = (name: string, ...values: readonly string[]) => values.includes(text(at(node, name)) ?? "");
  const underscores = text(at(common, "headers_with_underscores_action"));
  const headerSeconds = seconds(at(node, "request_headers_timeout")) ?? 0;
  const all: readonly (Refusal | false)[] = [
    is("path_with_escaped_slashes_action", "REJECT_REQUEST") && { what: "a path with `%2F` or `%5C`", status: 400 },
    flag(at(node, "normalize_path")) === true && { what: "a path with `%00`", status: 400 },
    { what: "a path with a fragment (`#`)", status: 400 },
    underscores === "REJECT_REQUEST" && { what: "a header name with an underscore (`x_role`)", status: 400 },
    flag(at(node, "http_protocol_options", "allow_custom_methods")) !== true && {
      what: "over HTTP/1.1, a method that is not one of the usual",
      status: 400,
    },
    flag(at(node, "http_protocol_options", "allow_chunked_length")) !== true && {
      what: "over HTTP/1.1, `content-length` with `transfer-encoding`",
      status: 400,
    },
    flag(at(node, "http_protocol_options", "accept_http_10")) !== true && { what: "HTTP/1.0", status: 426 },
    items(at(node, "upgrade_configs")).length === 0 && { what: "an upgrade, such as to WebSocket", status: 403 },
    {
      what: `more than ${number(at(common, "max_headers_count")) ?? DEFAULT_HEADERS} headers, or more than ${number(at(node, "max_request_headers_kb")) ?? DEFAULT_HEADERS_KIB} KiB of them`,
      status: 431,
    },
    headerSeconds > 0 && { what: `headers that take longer than ${headerSeconds} s`, status: 408 },
  ];
  return all.filter((one) => one !== false);
}

function changes(http: HttpView): readonly string[] {
  const { node } = http;
  const on = (name: string) => flag(at(node, name)) === true;
  const early = earlyHeaders(http);
  const removed = SAMPLES.filter((name) => early.removes(name));
  return [
    ...(on("normalize_path") ? ["the path: `.` and `..` are resolved, `\\` becomes `/`"] : []),
    ...(on("merge_slashes") ? ["the path: `//` becomes `/`"] : []),
    ...(on("strip_any_host_port") || on("strip_matching_host_port") ? ["the host: the port is taken off"] : []),
    ...(on("strip_trailing_host_dot") ? ["the host: a dot at its end is taken off"] : []),
    ...(removed.length === 0
      ? []
      : [`headers of the caller are removed, among them ${removed.map((name) => `\`${name}\``).join(", ")}`]),
  ];
}

/** Headers that callers are known to send on purpose. */
const SAMPLES = [
  "x-request-id",
  "x-forwarded-host",
  "x-forwarded-prefix",
  "x-http-method-override",
  "x-original-url",
  "x-envoy-original-path",
];

function ends({ node }: HttpView, tls: boolean): readonly string[] {
  const common = at(node, "common_http_protocol_options");
  const bound = (what: string, value: number | undefined) =>
    value === undefined || value === 0 ? [] : [`${what} after ${value} s`];
  return [
    ...bound("a stream", seconds(at(common, "max_stream_duration"))),
    ...bound("a stream on which nothing moves", seconds(at(node, "stream_idle_timeout")) ?? 300),
    ...bound(
      tls ? "a connection, so that the certificate is shown anew," : "a connection",
      seconds(at(common, "max_connection_duration")),
    ),
  ];
}
