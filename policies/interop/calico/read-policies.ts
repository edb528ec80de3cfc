import { addressBlock } from "../draft/address-blocks.ts";
import type { Notes } from "../draft/notes.ts";
import { type ForeignDocument, isRecord, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { SourceText } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import { exactPath, segmentPrefix } from "../paths/patterns.ts";
import type { CalicoPolicy, CalicoRule, CalicoTier, PortSpan, Side } from "./policy.ts";
import { parseSelector, type Selector } from "./selector.ts";

type Path = readonly (string | number)[];
type Labels = Readonly<Record<string, string>>;

/** What the texts hold. */
export interface CalicoDocuments {
  readonly policies: readonly CalicoPolicy[];
  readonly tiers: readonly CalicoTier[];
}

/** Reads policies and tiers; `namespaces` tells namespaces' labels. Throws `ERR_POLICY_INTEROP_INVALID` for what Calico refuses. */
export function readCalico(
  texts: readonly SourceText[],
  namespaces: ReadonlyMap<string, Labels>,
  notes: Notes,
): CalicoDocuments {
  const policies: CalicoPolicy[] = [];
  const tiers: CalicoTier[] = [];
  for (const document of readForeignYaml(texts)) {
    const value = isRecord(document.value) ? document.value : {};
    const kind = kindOf(value);
    if (kind === "NetworkPolicy" || kind === "GlobalNetworkPolicy")
      policies.push(new Reader(document, namespaces, notes).policy(kind));
    else if (kind === "Tier") tiers.push(tierOf(value));
    else if (/^Staged/.test(kind))
      notes.add(document.at([]), kind, "exact", "a staged policy changes no verdict; nothing is written");
    else notes.add(document.at([]), kind, "unsupported", "only policies and tiers are read; the document is left out");
  }
  return { policies, tiers };
}

function tierOf({ metadata, spec }: Readonly<Record<string, unknown>>): CalicoTier {
  const given = isRecord(spec) ? spec : {};
  return {
    name: isRecord(metadata) ? String(metadata.name) : "default",
    order: typeof given.order === "number" ? given.order : Number.POSITIVE_INFINITY,
    defaultAction: given.defaultAction === "Pass" ? "pass" : "deny",
  };
}

const ACTIONS: ReadonlyMap<string, CalicoRule["action"]> = new Map([
  ["Allow", "allow"],
  ["Deny", "deny"],
  ["Log", "log"],
  ["Pass", "pass"],
]);

class Reader {
  readonly #document: ForeignDocument;
  readonly #namespaces: ReadonlyMap<string, Labels>;
  readonly #notes: Notes;
  #construct = "";

  constructor(document: ForeignDocument, namespaces: ReadonlyMap<string, Labels>, notes: Notes) {
    this.#document = document;
    this.#namespaces = namespaces;
    this.#notes = notes;
  }

  policy(kind: string): CalicoPolicy {
    const value = isRecord(this.#document.value) ? this.#document.value : {};
    const metadata = isRecord(value.metadata) ? value.metadata : {};
    const spec = isRecord(value.spec) ? value.spec : {};
    const namespace = kind === "NetworkPolicy" ? String(metadata.namespace ?? "default") : undefined;
    const name = String(metadata.name);
    this.#construct = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    const types = Array.isArray(spec.types) ? spec.types.map(String) : ["Ingress"];
    const rules = Array.isArray(spec.ingress) ? spec.ingress : [];
    if (spec.egress !== undefined || types.includes("Egress"))
      this.#note(
        ["spec"],
        "unsupported",
        "what a workload may call is decided at the callee; egress is left out",
        "egress",
      );
    return {
      construct: this.#construct,
      place: this.#document.at([]),
      namespace,
      namespaceSelector: this.#selector(spec.namespaceSelector, ["spec", "namespaceSelector"]),
      selector: this.#selector(spec.selector, ["spec", "selector"]),
      serviceAccountSelector: spec.serviceAccountSelector !== undefined,
      tier: typeof spec.tier === "string" ? spec.tier : "default",
      order: typeof spec.order === "number" ? spec.order : Number.POSITIVE_INFINITY,
      name,
      ingress: types.includes("Ingress")
        ? rules.map((rule: unknown, index) => this.#rule(rule, ["spec", "ingress", index], namespace))
        : undefined,
    };
  }

  #note(path: Path, fidelity: "narrower" | "unsupported", reason: string, scope?: "egress"): void {
    this.#notes.add(this.#document.at(path), this.#construct, fidelity, reason, scope === undefined ? {} : { scope });
  }

  #refuse(path: Path, message: string): InteropError {
    const { file, line, column } = this.#document.at(path);
    return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: ${message}`);
  }

  #selector(text: unknown, path: Path): Selector {
    const parsed = parseSelector(typeof text === "string" ? text : "");
    if (!parsed.ok) throw this.#refuse(path, parsed.reason);
    return parsed.matches;
  }

  #rule(value: unknown, path: Path, namespace: string | undefined): CalicoRule {
    const rule = isRecord(value) ? value : {};
    const action = ACTIONS.get(String(rule.action));
    if (action === undefined) throw this.#refuse(path, "a rule's action is Allow, Deny, Log or Pass");
    const http = isRecord(rule.http) ? rule.http : undefined;
    const methods = Array.isArray(http?.methods) && http.methods.length > 0 ? http.methods.map(String) : undefined;
    const paths = Array.isArray(http?.paths) && http.paths.length > 0 ? http.paths : undefined;
    const source = this.#side(rule.source, [...path, "source"], namespace);
    if (source.ports !== undefined || source.notPorts.length > 0)
      this.#note(
        [...path, "source"],
        action === "allow" ? "unsupported" : "narrower",
        "the caller's own port is not looked at; an allow on it is left out, a deny holds for every port",
      );
    return {
      place: this.#document.at(path),
      action,
      tcp:
        (rule.protocol === undefined || rule.protocol === "TCP" || rule.protocol === 6) && rule.notProtocol !== "TCP",
      source,
      destination: this.#side(rule.destination, [...path, "destination"], namespace),
      methods: methods?.includes("*") === true ? undefined : methods,
      paths: paths?.flatMap(pathPatterns),
    };
  }

  #side(value: unknown, path: Path, own: string | undefined): Side {
    const side = isRecord(value) ? value : {};
    const list = (key: string): readonly string[] => (Array.isArray(side[key]) ? side[key].map(String) : []);
    const blocks = (key: string): readonly string[] => list(key).flatMap((text) => addressBlock(text) ?? []);
    return {
      matches: this.#workloads(side, path, own),
      nets: list("nets").length === 0 ? undefined : blocks("nets"),
      notNets: blocks("notNets"),
      ports: list("ports").length === 0 ? undefined : list("ports").flatMap(portSpan),
      notPorts: list("notPorts").flatMap(portSpan),
    };
  }

  #workloads(side: Readonly<Record<string, unknown>>, path: Path, own: string | undefined): Side["matches"] {
    const accounts = isRecord(side.serviceAccounts) ? side.serviceAccounts : undefined;
    const names = Array.isArray(accounts?.names) ? accounts.names.map(String) : undefined;
    if (accounts?.selector !== undefined)
      this.#note(path, "narrower", "labels of service accounts are not known; nobody is taken to have them");
    const says = ["selector", "notSelector", "namespaceSelector"].some((key) => side[key] !== undefined);
    if (!says && accounts === undefined) return undefined;
    const selector = this.#selector(side.selector, [...path, "selector"]);
    const not =
      side.notSelector === undefined ? () => false : this.#selector(side.notSelector, [...path, "notSelector"]);
    const inNamespace =
      side.namespaceSelector === undefined
        ? undefined
        : this.#selector(side.namespaceSelector, [...path, "namespaceSelector"]);
    return ({ namespace, serviceAccount, labels }) => {
      if (inNamespace === undefined && own !== undefined && namespace !== own) return false;
      if (
        inNamespace !== undefined &&
        !inNamespace({
          "projectcalico.org/name": namespace,
          "kubernetes.io/metadata.name": namespace,
          ...this.#namespaces.get(namespace),
        })
      )
        return false;
      if (
        accounts?.selector !== undefined ||
        (names !== undefined && names.length > 0 && !names.includes(serviceAccount))
      )
        return false;
      return selector(labels) && !not(labels);
    };
  }
}

function pathPatterns(path: unknown): readonly string[] {
  if (!isRecord(path)) return [];
  if (typeof path.exact === "string") return exactPath(path.exact);
  return typeof path.prefix === "string" ? segmentPrefix(path.prefix) : [];
}

function portSpan(text: string): readonly PortSpan[] {
  const [from = "", to = from] = text.split(":");
  return /^\d+$/.test(from) && /^\d+$/.test(to) ? [[Number(from), Number(to)]] : [];
}
