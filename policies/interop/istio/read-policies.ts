import { printable } from "../../printable.ts";
import { type ForeignDocument, isRecord, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { SourceText } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import type { SourcePlace } from "../report.ts";
import { checkKeys, type Refuse } from "./check-keys.ts";
import type { IstioPolicy } from "./policy.ts";
import { readRule } from "./read-rule.ts";
import { type RequestAuthentication, readRequestAuthentication } from "./request-authentication.ts";
import { readTargets, type Services } from "./targets.ts";

/** The AuthorizationPolicies of texts, what they build on, and the documents that are of another kind. */
export interface IstioDocuments {
  readonly policies: readonly IstioPolicy[];
  readonly authentications: readonly RequestAuthentication[];
  readonly services: Services;
  readonly others: readonly { readonly kind: string; readonly place: SourcePlace }[];
}

/** Reads AuthorizationPolicies; throws `InteropError` `ERR_POLICY_INTEROP_INVALID` for one that Istio's validation refuses. */
export function readIstioPolicies(texts: readonly SourceText[]): IstioDocuments {
  const policies: IstioPolicy[] = [];
  const authentications: RequestAuthentication[] = [];
  const services = new Map<string, Readonly<Record<string, string>>>();
  const others: { readonly kind: string; readonly place: SourcePlace }[] = [];
  for (const document of readForeignYaml(texts)) {
    const kind = kindOf(document.value);
    if (kind === "AuthorizationPolicy") policies.push(readPolicy(document));
    else if (kind === "RequestAuthentication") authentications.push(readRequestAuthentication(document));
    else if (kind === "Service") readService(document.value, services);
    else others.push({ kind, place: document.at([]) });
  }
  return { policies, authentications, services, others };
}

/** A Service without a selector leads to nothing that can be told. */
function readService(value: unknown, services: Map<string, Readonly<Record<string, string>>>): void {
  const { metadata, spec } = isRecord(value) ? value : {};
  const selector = isRecord(spec) ? spec.selector : undefined;
  if (!isRecord(metadata) || !isRecord(selector) || Object.keys(selector).length === 0) return;
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "default";
  const labels = Object.entries(selector).map(([key, label]) => [key, String(label)] as const);
  services.set(`${namespace}/${String(metadata.name)}`, Object.fromEntries(labels));
}

function readPolicy(document: ForeignDocument): IstioPolicy {
  const refuse: Refuse = (path, message) => {
    const { file, line, column } = document.at(path);
    return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: ${message}`);
  };
  const value = isRecord(document.value) ? document.value : {};
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const spec = value.spec === null || value.spec === undefined ? {} : value.spec;
  if (typeof metadata.name !== "string") throw refuse(["metadata"], "a policy needs a name");
  if (!isRecord(spec)) throw refuse(["spec"], "`spec` is no map");
  checkKeys(spec, SPEC_KEYS, ["spec"], refuse);
  const action = actionOf(spec.action, refuse);
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "default";
  return {
    namespace,
    name: metadata.name,
    place: document.at([]),
    action,
    dryRun: isRecord(metadata.annotations) && metadata.annotations["istio.io/dry-run"] === "true",
    labels: labelsOf(spec.selector, refuse),
    targets: readTargets(spec, refuse),
    rules: rulesOf(spec.rules, action, namespace, document, refuse),
  };
}

const SPEC_KEYS = ["selector", "targetRef", "targetRefs", "rules", "action", "provider"];

function actionOf(action: unknown, refuse: Refuse): IstioPolicy["action"] {
  if (action === undefined || action === null || action === "ALLOW") return "ALLOW";
  if (action === "DENY" || action === "AUDIT" || action === "CUSTOM") return action;
  throw refuse(["spec", "action"], `\`${printable(String(action), 60)}\` is no action`);
}

function labelsOf(selector: unknown, refuse: Refuse): IstioPolicy["labels"] {
  if (selector === undefined || selector === null) return undefined;
  if (!isRecord(selector)) throw refuse(["spec", "selector"], "`selector` is no map");
  checkKeys(selector, ["matchLabels"], ["spec", "selector"], refuse);
  const labels = selector.matchLabels;
  if (labels === undefined || labels === null) return undefined;
  if (!isRecord(labels)) throw refuse(["spec", "selector", "matchLabels"], "`matchLabels` is no map");
  const entries = Object.entries(labels).map(([key, value]) => [key, String(value)] as const);
  if (entries.some(([key, value]) => key === "" || key.includes("*") || value.includes("*")))
    throw refuse(["spec", "selector", "matchLabels"], "a label has a name, and no wildcards");
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function rulesOf(
  rules: unknown,
  action: IstioPolicy["action"],
  namespace: string,
  document: ForeignDocument,
  refuse: Refuse,
): IstioPolicy["rules"] {
  const none = rules === undefined || rules === null || (Array.isArray(rules) && rules.length === 0);
  if (none && (action === "DENY" || action === "CUSTOM"))
    throw refuse(["spec"], `a policy of action ${action} needs rules`);
  if (none) return [];
  if (!Array.isArray(rules)) throw refuse(["spec", "rules"], "`rules` is no list");
  return rules.map((rule: unknown, index) =>
    readRule(rule ?? {}, ["spec", "rules", index], { namespace, refuse, at: (path) => document.at(path) }),
  );
}
