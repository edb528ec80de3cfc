import { COMMON_FLOOR } from "../../config/connection-manager.ts";
import { earlyHeaderMutation, OVERRIDE_HEADERS, serialRemoval } from "../../config/header-floor.ts";
import { CALLER_HEADER, PEER_SERIAL_HEADER } from "../../wire/check-headers.ts";
import { type EarlyHeaders, earlyHeaders } from "../early-headers.ts";
import { add, type Edit, set } from "../edit.ts";
import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import { authorizationOf, isOwn, kindOf } from "../own.ts";
import { at, entryOf, flag, items, text, walk } from "../tree.ts";

/** Which headers of the caller are believed. */
export const headerLooks: readonly Look[] = [
  (context) => {
    for (const ingress of httpIngress(context)) {
      const early = earlyHeaders(ingress.http);
      for (const look of [callersWords, identityHeaders, certificates, addresses]) look(context, ingress, early);
    }
  },
];

/** Ours goes first, so that whatever the user appends stays. */
function floorFirst(context: LintContext, { http, chain }: HttpIngress): readonly Edit[] {
  const identity = kindOf(chain, context) === "mesh" ? "peer" : "none";
  const keep = context.target.keepOverrideHeaders;
  return add(
    http.node,
    "early_header_mutation_extensions",
    [earlyHeaderMutation({ removes: "all", keep, identity })],
    0,
  );
}

function callersWords(context: LintContext, ingress: HttpIngress, early: EarlyHeaders): void {
  const { http, scope } = ingress;
  const where = {
    node: at(http.node, "early_header_mutation_extensions") ?? http.node,
    scope,
    edits: floorFirst(context, ingress),
  };
  const edge = flag(at(http.node, "use_remote_address")) === true;
  const envoys = ["x-envoy-downstream-service-cluster", "x-envoy-original-path", "x-envoy-external-address"];
  if (!edge && !envoys.every((name) => early.removes(name))) context.report("envoy-headers-trusted", where);
  const minted = edge && flag(at(http.node, "preserve_external_request_id")) !== true;
  if (!minted && !early.removes("x-request-id")) context.report("request-id-trusted", where);
  const kept = OVERRIDE_HEADERS.filter(
    (name) => !early.removes(name) && !context.target.keepOverrideHeaders.includes(name),
  );
  if (kept.length > 0) {
    const names =
      kept.length > 3
        ? `\`${kept[0]}\`, \`${kept[1]}\` and ${kept.length - 2} more`
        : kept.map((name) => `\`${name}\``).join(", ");
    context.report("override-headers-kept", { ...where, detail: names });
  }
}

function identityHeaders(context: LintContext, ingress: HttpIngress, early: EarlyHeaders): void {
  const { http, scope } = ingress;
  for (const one of early.appended) {
    if (one.removedBefore || !/%DOWNSTREAM_PEER_/.test(one.value)) continue;
    const edits: readonly Edit[] = [{ kind: "insert", seq: one.mutations, index: 0, values: [{ remove: one.name }] }];
    context.report("caller-header-forgeable", { node: one.node, scope, detail: `\`${one.name}\``, edits });
  }
  const own = authorizationOf(http.filters, { own: true }).length > 0;
  if (own && (!early.removes(CALLER_HEADER) || !early.removes(PEER_SERIAL_HEADER)))
    context.report("caller-header-forgeable", {
      node: http.node,
      scope,
      detail: `\`${CALLER_HEADER}\``,
      edits: floorFirst(context, ingress),
    });
  removedLate(context, ingress);
  serialKept(context, ingress);
}

function removedLate(context: LintContext, { http, scope }: HttpIngress): void {
  for (const node of walk(http.routes)) {
    const list = at(node, "request_headers_to_remove");
    const names = items(list).flatMap((one) => text(one) ?? []);
    const ours = names.filter((name) => /^x-cellwall-/i.test(name));
    if (list === undefined || ours.length === 0) continue;
    const edits = set(
      node,
      ["request_headers_to_remove"],
      names.filter((name) => !ours.includes(name)),
    );
    context.report("caller-header-removed-late", {
      node: list,
      scope,
      detail: ours.map((name) => `\`${name}\``).join(", "),
      edits,
    });
  }
}

/** The serial is for the agent alone: a filter behind authorization takes it away again. */
function serialKept(context: LintContext, { http, scope }: HttpIngress): void {
  const filter = http.filters.findIndex((one) => one.type === "ExtAuthz" && isOwn(one));
  if (filter === -1) return;
  const removed = http.filters
    .slice(filter + 1)
    .some(({ config }) =>
      items(at(config, "mutations", "request_mutations")).some(
        (one) => text(at(one, "remove"))?.toLowerCase() === PEER_SERIAL_HEADER,
      ),
    );
  if (removed) return;
  const node = http.filters[filter]?.node ?? http.node;
  context.report("peer-serial-kept", {
    node,
    scope,
    edits: add(http.node, "http_filters", [serialRemoval()], filter + 1),
  });
}

const SANITIZING: ReadonlySet<string> = new Set(["SANITIZE", "SANITIZE_SET", "0", "4"]);

function certificates(context: LintContext, ingress: HttpIngress): void {
  const { http, scope, chain } = ingress;
  const mode = at(http.node, "forward_client_cert_details");
  const mesh = kindOf(chain, context) === "mesh";
  if (mode !== undefined && !SANITIZING.has(text(mode) ?? "")) {
    const edits = [
      ...set(http.node, ["forward_client_cert_details"], mesh ? "SANITIZE_SET" : "SANITIZE"),
      ...(mesh && at(http.node, "set_current_client_cert_details") === undefined
        ? set(http.node, ["set_current_client_cert_details"], { uri: true })
        : []),
    ];
    context.report("client-certificate-header-trusted", {
      node: mode,
      scope,
      detail: `\`${text(mode) ?? ""}\``,
      edits,
    });
  }
  const common = at(http.node, "common_http_protocol_options");
  const action = at(common, "headers_with_underscores_action");
  if (!["REJECT_REQUEST", "DROP_HEADER", "1", "2"].includes(text(action) ?? ""))
    context.report("underscores-in-headers", {
      node: action ?? common ?? http.node,
      scope,
      edits: set(
        http.node,
        ["common_http_protocol_options", "headers_with_underscores_action"],
        COMMON_FLOOR.headers_with_underscores_action ?? "REJECT_REQUEST",
      ),
    });
}

function addresses(context: LintContext, { http, scope, chain }: HttpIngress): void {
  const internal = at(http.node, "internal_address_config", "cidr_ranges");
  if (items(internal).length > 0)
    context.report("internal-addresses", {
      node: internal ?? http.node,
      scope,
      edits: set(http.node, ["internal_address_config"], { unix_sockets: false }),
    });
  const detection = entryOf(http.node, "original_ip_detection_extensions")?.value;
  if (
    items(detection).some((one) =>
      /custom_header/.test(text(at(one, "name")) ?? text(at(one, "typed_config", "@type")) ?? ""),
    )
  )
    context.report("client-address-trusted", { node: detection ?? http.node, scope });
  const proxied = items(at(chain.listener.node, "listener_filters")).find((one) =>
    /proxy_protocol/i.test(`${text(at(one, "name")) ?? ""}${text(at(one, "typed_config", "@type")) ?? ""}`),
  );
  const bounded = at(chain.node, "filter_chain_match", "direct_source_prefix_ranges") !== undefined;
  if (proxied !== undefined && !bounded && !chain.listener.local)
    context.report("proxy-protocol-trusted", { node: proxied, scope });
}
