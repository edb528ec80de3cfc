import { ACCESS_LOG, refusedRequestLog, tlsFailureLog } from "../../config/access-log.ts";
import { agentClusters } from "../agent-clusters.ts";
import { add, type Edit } from "../edit.ts";
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
  const told = context.own
    ? hasLog(requests, ACCESS_LOG.refused) && (!mesh || hasLog(connections, ACCESS_LOG.tls))
    : requests.length + connections.length > 0;
  if (told || (!context.own && isProbesOnly(http.routes))) return;
  const edits: readonly Edit[] = [
    ...(hasLog(requests, ACCESS_LOG.refused) ? [] : add(http.node, "access_log", [refusedRequestLog()])),
    ...(!mesh || hasLog(connections, ACCESS_LOG.tls) ? [] : add(chain.listener.node, "access_log", [tlsFailureLog()])),
    ...agentClusters(context),
  ];
  context.report("no-access-log", { node: http.node, scope, edits });
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
