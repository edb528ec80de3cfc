import { ACCESS_LOG, OPEN_INTERVAL, openStreamLog, refusedRequestLog, tlsFailureLog } from "../../config/access-log.ts";
import type { JsonObject } from "../../config/json.ts";
import { agentClusters } from "../agent-clusters.ts";
import { add, type Edit, set } from "../edit.ts";
import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import { kindOf } from "../own.ts";
import { isProbesOnly } from "../routes-view.ts";
import { at, type ConfigNode, items, text, walk } from "../tree.ts";

/** What is written down of what a listener does by itself. */
export const logLooks: readonly Look[] = [
  (context) => {
    for (const ingress of httpIngress(context)) {
      missing(context, ingress);
      secrets(context, ingress);
    }
  },
];

function missing(context: LintContext, { http, chain, scope }: HttpIngress): void {
  const requests = items(at(http.node, "access_log"));
  const connections = items(at(chain.listener.node, "access_log"));
  const mesh = kindOf(chain, context) === "mesh";
  const told = requests.length + connections.length > 0;
  if (!context.own && (told || isProbesOnly(http.routes))) return;
  const requestLogs = [
    ...(hasLog(requests, ACCESS_LOG.refused) ? [] : [refusedRequestLog()]),
    ...(!mesh || hasLog(requests, ACCESS_LOG.open) ? [] : [openStreamLog()]),
  ];
  const connectionLogs = !mesh || hasLog(connections, ACCESS_LOG.tls) ? [] : [tlsFailureLog()];
  const edits: readonly Edit[] = [
    ...addAll(http.node, requestLogs),
    ...(mesh ? tellsOfOpen(http.node) : []),
    ...addAll(chain.listener.node, connectionLogs),
  ];
  if (context.own && edits.length === 0) return;
  context.report("no-access-log", { node: http.node, scope, edits: [...edits, ...agentClusters(context)] });
}

function addAll(node: ConfigNode, logs: readonly JsonObject[]): readonly Edit[] {
  return logs.length === 0 ? [] : add(node, "access_log", logs);
}

/** Without an interval Envoy tells of a request when it is over. An interval of the user's own stays. */
function tellsOfOpen(node: ConfigNode): readonly Edit[] {
  const path = ["access_log_options", "access_log_flush_interval"];
  return at(node, ...path) === undefined ? set(node, path, OPEN_INTERVAL) : [];
}

function hasLog(logs: readonly ConfigNode[], name: string): boolean {
  return logs.some((log) => text(at(log, "typed_config", "common_config", "log_name")) === name);
}

const SECRET_FORMAT = /%REQ(?:_WITHOUT_QUERY)?\((?:[^)]*\?)?(?:authorization|cookie|proxy-authorization)[)?:]/i;
const SECRET_NAME = /^(?:authorization|cookie|proxy-authorization)$/i;

function secrets(context: LintContext, { http, chain, scope }: HttpIngress): void {
  const logs = [...items(at(http.node, "access_log")), ...items(at(chain.listener.node, "access_log"))];
  for (const log of logs) {
    const named = [...walk(log)].flatMap((node) => items(at(node, "additional_request_headers_to_log")));
    const written = [...walk(log)].find((node) => SECRET_FORMAT.test(text(node) ?? ""));
    const found = written ?? named.find((node) => SECRET_NAME.test(text(node) ?? ""));
    if (found !== undefined) context.report("secrets-in-access-log", { node: found, scope });
  }
}
