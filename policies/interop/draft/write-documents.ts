import { Document, type Scalar, visit } from "yaml";
import { plainMeaning } from "../../syntax/plain-meaning.ts";
import type { DraftPolicy } from "./draft.ts";
import { labelOf } from "./names.ts";
import type { KnownWorkload, World } from "./world.ts";

const API_VERSION = "cellwall.dev/v1";

/** The documents of an import: Mesh and Workloads where they are to be written, then the policies that have rules. */
export function writeDocuments(policies: readonly DraftPolicy[], world: World, federation = world.foreign): string {
  const registry = world.emitRegistry ? [meshOf(world, federation), ...world.workloads.map(workloadOf)] : [];
  const written = policies.filter(isWritten).map(policyOf);
  return [...registry, ...written].map(yamlOf).join("---\n");
}

const isWritten = ({ allow, deny, candidate }: DraftPolicy): boolean =>
  allow.length + deny.length > 0 || candidate === "withdraw";

function meshOf({ trustDomain, jwtProviders }: World, federation: readonly string[]): unknown {
  return {
    apiVersion: API_VERSION,
    kind: "Mesh",
    metadata: { name: "imported" },
    spec: {
      trustDomain,
      defaultMode: "enforce",
      ...(federation.length === 0 ? {} : { federation: federation.map((name) => ({ trustDomain: name })) }),
      ...(jwtProviders.length === 0
        ? {}
        : { jwtProviders: Object.fromEntries(jwtProviders.map(({ name, ...provider }) => [name, provider])) }),
    },
  };
}

function workloadOf({ namespace, name, labels, identity }: KnownWorkload): unknown {
  const kept = Object.fromEntries(Object.entries(labels).filter(([key, value]) => isLabel(key, value)));
  return {
    apiVersion: API_VERSION,
    kind: "Workload",
    metadata: { name, namespace, ...(Object.keys(kept).length === 0 ? {} : { labels: kept }) },
    spec: { identity },
  };
}

/** Whether the registry can hold a label; an importer that looks at others has done so by now. */
function isLabel(key: string, value: string): boolean {
  const part = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
  const [prefix, name, ...rest] = key.includes("/") ? key.split("/") : [undefined, key];
  const dns = prefix === undefined || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(prefix);
  return part.test(value) && part.test(name ?? "") && dns && rest.length === 0;
}

function policyOf({ namespace, name, protects, allow, deny, candidate }: DraftPolicy): unknown {
  const stage = candidate === undefined ? {} : { stage: "candidate" };
  const spec =
    candidate === "withdraw"
      ? { ...stage, action: "withdraw" }
      : {
          protects,
          ...stage,
          ...(allow.length === 0 ? {} : { allow }),
          ...(deny.length === 0 ? {} : { deny }),
        };
  return {
    apiVersion: API_VERSION,
    kind: "AccessPolicy",
    metadata: { name: labelOf(name), namespace },
    spec,
  };
}

function yamlOf(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, { Scalar: (_key, node) => quoteWhereNeeded(node) });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Quotes every text that some YAML tool reads as something else, or that holds what YAML uses itself. */
function quoteWhereNeeded(node: Scalar): void {
  if (typeof node.value !== "string") return;
  const plain = /^[A-Za-z0-9/_.][A-Za-z0-9/_.@+|*{} -]*(?::[A-Za-z0-9/_.*{}-]+)*$/.test(node.value);
  const safe = plain && !/ $/.test(node.value) && plainMeaning(node.value) === "text";
  node.type = safe && !/^[{}*]/.test(node.value) ? "PLAIN" : "QUOTE_DOUBLE";
}
