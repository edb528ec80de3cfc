import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq,
} from "yaml";
import { type ConfigNode, type Entry, keyPath, type ScalarValue } from "./tree.ts";

/** YAML that cannot be read, at an offset. */
export class YamlSyntaxError extends SyntaxError {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const MAX_NODES = 2_000_000;

/** Reads one YAML document into nodes with places; an alias stands for its anchor's node. Throws `YamlSyntaxError`. */
export function readYaml(source: string): ConfigNode {
  const document = parseDocument(source, { keepSourceTokens: false, prettyErrors: false, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw new YamlSyntaxError(messageOf(error), error.pos[0]);
  let left = MAX_NODES;
  const convert = (node: ParsedNode | null | undefined, path: string, start: number): ConfigNode => {
    left -= 1;
    // An alias of an alias of an alias would unfold without end.
    if (left < 0) throw new YamlSyntaxError("it unfolds to too many values", start);
    if (isAlias(node)) return convert(resolved(node.resolve(document)), path, start);
    if (isMap(node)) return mapOf(node, path, convert);
    if (isSeq(node)) return seqOf(node, path, convert);
    const [from = start, to = start] = node?.range ?? [];
    return { kind: "scalar", value: isScalar(node) ? scalarOf(node.value) : null, start: from, end: to, path };
  };
  return convert(document.contents, "$", 0);
}

function messageOf({ code, message }: YAMLParseError): string {
  return code === "MULTIPLE_DOCS" ? "a second document begins here, and Envoy reads one" : message;
}

type Convert = (node: ParsedNode | null | undefined, path: string, start: number) => ConfigNode;

function mapOf(node: YAMLMap.Parsed, path: string, convert: Convert): ConfigNode {
  const found = node.items.map(({ key, value }): Entry => {
    const name = isScalar(key) ? String(key.value) : "";
    const [keyStart, keyEnd] = key.range;
    return { key: name, keyStart, keyEnd, value: convert(value, keyPath(path, name), keyEnd) };
  });
  const [start, end] = node.range;
  return { kind: "map", flow: node.flow === true, entries: found, start, end, path };
}

function seqOf(node: YAMLSeq.Parsed, path: string, convert: Convert): ConfigNode {
  const [start, end] = node.range;
  const found = node.items.map((item, index) => convert(item, `${path}[${index}]`, start));
  return { kind: "seq", flow: node.flow === true, items: found, start, end, path };
}

function scalarOf(value: unknown): ScalarValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return Number(value);
    default:
      return value === null || value === undefined ? null : String(value);
  }
}

function resolved(node: unknown): ParsedNode | undefined {
  return isParsed(node) ? node : undefined;
}

function isParsed(node: unknown): node is ParsedNode {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node);
}
