import type { Notes } from "../draft/notes.ts";
import { type ForeignDocument, isRecord, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { SourceText } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import type { CalicoPolicy, CalicoRule, CalicoTier } from "./policy.ts";
import { type RuleReading, readRule } from "./read-rule.ts";
import { parseSelector, type Selector } from "./selector.ts";

type Path = readonly (string | number)[];

/** What the texts hold. */
export interface CalicoDocuments {
  readonly policies: readonly CalicoPolicy[];
  readonly tiers: readonly CalicoTier[];
}

/** Reads policies and tiers. Throws `ERR_POLICY_INTEROP_INVALID` for what Calico refuses. */
export function readCalico(texts: readonly SourceText[], notes: Notes): CalicoDocuments {
  const policies: CalicoPolicy[] = [];
  const tiers: CalicoTier[] = [];
  for (const document of readForeignYaml(texts)) {
    const value = isRecord(document.value) ? document.value : {};
    const kind = kindOf(value);
    if (String(value.apiVersion).startsWith("networking.k8s.io/"))
      notes.add(document.at([]), kind, "unsupported", "it is Kubernetes' own, which `kubernetes` imports");
    else if (isOfHosts(value))
      notes.add(document.at([]), kind, "exact", "it is of host endpoints, which are no workloads; nothing is written");
    else if (kind === "NetworkPolicy" || kind === "GlobalNetworkPolicy")
      policies.push(new Reader(document).policy(kind));
    else if (kind === "Tier") tiers.push(tierOf(value));
    else if (/^Staged/.test(kind))
      notes.add(document.at([]), kind, "exact", "a staged policy changes no verdict; nothing is written");
    else notes.add(document.at([]), kind, "unsupported", "only policies and tiers are read; the document is left out");
  }
  return { policies, tiers };
}

/** Whether a policy is of the interfaces of hosts alone. */
function isOfHosts({ kind, spec }: Readonly<Record<string, unknown>>): boolean {
  return kind === "GlobalNetworkPolicy" && isRecord(spec) && (spec.preDNAT === true || spec.doNotTrack === true);
}

function tierOf({ metadata, spec }: Readonly<Record<string, unknown>>): CalicoTier {
  const given = isRecord(spec) ? spec : {};
  return {
    name: isRecord(metadata) ? String(metadata.name) : "default",
    order: typeof given.order === "number" ? given.order : Number.POSITIVE_INFINITY,
    defaultAction: given.defaultAction === "Pass" ? "pass" : "deny",
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What a policy is about that does not say: the directions it has rules of, ingress where it has none. */
function typesOf(ingress: readonly unknown[], egress: readonly unknown[]): readonly string[] {
  if (egress.length === 0) return ["Ingress"];
  return ingress.length === 0 ? ["Egress"] : ["Ingress", "Egress"];
}

class Reader {
  readonly #document: ForeignDocument;
  #construct = "";

  constructor(document: ForeignDocument) {
    this.#document = document;
  }

  policy(kind: string): CalicoPolicy {
    const value = isRecord(this.#document.value) ? this.#document.value : {};
    const metadata = isRecord(value.metadata) ? value.metadata : {};
    const spec = isRecord(value.spec) ? value.spec : {};
    const namespace = kind === "NetworkPolicy" ? String(metadata.namespace ?? "default") : undefined;
    const name = String(metadata.name);
    this.#construct = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    const [ingress, egress] = [listOf(spec.ingress), listOf(spec.egress)];
    const types = Array.isArray(spec.types) ? spec.types.map(String) : typesOf(ingress, egress);
    const ofUnknown = typeof spec.serviceAccountSelector === "string" && spec.serviceAccountSelector !== "";
    const reading: RuleReading = {
      namespace,
      ofUnknown,
      placeOf: (path) => this.#document.at(path),
      refuse: (path, message) => this.#refuse(path, message),
      selector: (text, path, ofNamespaces) => this.#selector(text, path, ofNamespaces),
    };
    const rules = (key: "ingress" | "egress", list: readonly unknown[]): readonly CalicoRule[] =>
      list.map((rule, index) => readRule(rule, ["spec", key, index], reading));
    return {
      construct: this.#construct,
      place: this.#document.at([]),
      namespace,
      namespaceSelector: this.#selector(spec.namespaceSelector, ["spec", "namespaceSelector"], true),
      selector: this.#selector(spec.selector, ["spec", "selector"]),
      tier: typeof spec.tier === "string" ? spec.tier : "default",
      order: typeof spec.order === "number" ? spec.order : Number.POSITIVE_INFINITY,
      name,
      ingress: types.includes("Ingress") ? rules("ingress", ingress) : undefined,
      egress: types.includes("Egress") ? rules("egress", egress) : undefined,
    };
  }

  #refuse(path: Path, message: string): InteropError {
    const { file, line, column } = this.#document.at(path);
    return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: ${message}`);
  }

  #selector(text: unknown, path: Path, ofNamespaces = false): Selector {
    const parsed = parseSelector(typeof text === "string" ? text : "", !ofNamespaces);
    if (!parsed.ok) throw this.#refuse(path, parsed.reason);
    return parsed.matches;
  }
}
