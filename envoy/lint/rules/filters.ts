import { set } from "../edit.ts";
import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import type { FilterView } from "../listener-view.ts";
import { at, type ConfigNode, entries, flag, items, text, walk } from "../tree.ts";

/** What stands before and behind authorization. */
export const filterLooks: readonly Look[] = [
  (context) => {
    for (const ingress of httpIngress(context)) {
      for (const look of [order, tokens]) look(context, ingress);
    }
  },
];

/** Filters that may change what was authorized. Most run code of the user's. */
const CHANGING =
  /^(?:Lua|Wasm|ExternalProcessor|GrpcJsonTranscoder|DynamicModuleFilter)$|golang|grpc_http1_reverse_bridge|grpc_json_transcoder/;
/** Filters that answer with what an earlier request got. */
const ANSWERING = /^Cache|\.cache(?:_v2)?$/;

function order(context: LintContext, { http, scope }: HttpIngress): void {
  const filters = http.filters.filter(({ node }) => flag(at(node, "disabled")) !== true);
  const first = filters.findIndex(({ type }) => type === "ExtAuthz");
  const last = filters.findLastIndex(({ type }) => type === "ExtAuthz");
  if (first === -1) return;
  const is = (kind: RegExp) => (filter: FilterView) => kind.test(filter.type) || kind.test(filter.name);
  for (const filter of filters.slice(last + 1).filter(is(CHANGING)))
    context.report("request-changed-after-authorization", {
      node: filter.node,
      scope,
      detail: `filter \`${filter.name}\``,
    });
  for (const filter of filters.slice(0, first).filter(is(ANSWERING)))
    context.report("answer-before-authorization", { node: filter.node, scope, detail: `filter \`${filter.name}\`` });
  for (const filter of filters.slice(last + 1).filter(({ type }) => type === "JwtAuthentication"))
    context.report("tokens-after-authorization", { node: filter.node, scope, detail: `filter \`${filter.name}\`` });
}

function tokens(context: LintContext, { http, scope }: HttpIngress): void {
  for (const { config } of http.filters.filter(({ type }) => type === "JwtAuthentication")) {
    const lenient = [...walk(config)].some((node) => at(node, "allow_missing_or_failed") !== undefined);
    for (const { key, value } of entries(at(config, "providers")))
      provider(context, value, { scope, name: key, lenient });
  }
}

const SOURCES = ["from_headers", "from_params", "from_cookies"];

function provider(
  context: LintContext,
  node: ConfigNode,
  { scope, name, lenient }: { readonly scope: string; readonly name: string; readonly lenient: boolean },
): void {
  const where = { node, scope, detail: `provider \`${name}\`` };
  const fromQuery =
    SOURCES.every((key) => items(at(node, key)).length === 0) || items(at(node, "from_params")).length > 0;
  const header = [{ name: "authorization", value_prefix: "Bearer " }];
  if (fromQuery)
    context.report("token-in-query", {
      ...where,
      ...(at(node, "from_params") === undefined ? { edits: set(node, ["from_headers"], header) } : {}),
    });
  if (items(at(node, "audiences")).length === 0) context.report("token-audience-unchecked", where);
  if (lenient && text(at(node, "failed_status_in_metadata")) === undefined)
    context.report("token-failures-hidden", { ...where, edits: set(node, ["failed_status_in_metadata"], "failed") });
}
