/** A scalar of a configuration. */
export type ScalarValue = string | number | boolean | null;

interface Placed {
  /** Offsets into the text; `end` is behind the last character of the value itself. */
  readonly start: number;
  readonly end: number;
  /** JSON path: `$.static_resources.listeners[0]`. */
  readonly path: string;
}

/** A scalar with its place. */
export interface ScalarNode extends Placed {
  readonly kind: "scalar";
  readonly value: ScalarValue;
}

/** A sequence with its place; `flow` says that it is written in brackets. */
export interface SeqNode extends Placed {
  readonly kind: "seq";
  readonly flow: boolean;
  readonly items: readonly ConfigNode[];
}

/** A mapping with its place; `flow` says that it is written in braces. */
export interface MapNode extends Placed {
  readonly kind: "map";
  readonly flow: boolean;
  readonly entries: readonly Entry[];
}

/** One key of a mapping. */
export interface Entry {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: ConfigNode;
}

/** A value of an Envoy configuration, YAML or JSON, and where it stands. */
export type ConfigNode = ScalarNode | SeqNode | MapNode;

/** The entry under a field's name; Envoy takes `snake_case` and `camelCase`. */
export function entryOf(node: ConfigNode | undefined, name: string): Entry | undefined {
  if (node?.kind !== "map") return undefined;
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return node.entries.find(({ key }) => key === name || key === camel);
}

/** The value at a path of fields: `at(node, "common_tls_context", "tls_params")`; undefined where one is not there. */
export function at(node: ConfigNode | undefined, ...names: readonly string[]): ConfigNode | undefined {
  return names.reduce<ConfigNode | undefined>((from, name) => {
    const value = entryOf(from, name)?.value;
    return value?.kind === "scalar" && value.value === null ? undefined : value;
  }, node);
}

/** The items of a sequence; of a single value that stands where a sequence may, that value; none of nothing. */
export function items(node: ConfigNode | undefined): readonly ConfigNode[] {
  if (node === undefined) return [];
  return node.kind === "seq" ? node.items : [node];
}

/** The entries of a mapping; none of anything else. */
export function entries(node: ConfigNode | undefined): readonly Entry[] {
  return node?.kind === "map" ? node.entries : [];
}

/** A scalar's text; undefined of anything else. */
export function text(node: ConfigNode | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

/** A number, or a number's text. */
export function number(node: ConfigNode | undefined): number | undefined {
  const value = text(node);
  return value === undefined || value.trim() === "" || Number.isNaN(Number(value)) ? undefined : Number(value);
}

/** A boolean as Envoy reads it in YAML: `true`, but `yes`, `on` and `y` too. */
export function flag(node: ConfigNode | undefined): boolean | undefined {
  const value = text(node)?.toLowerCase() ?? "";
  return TRUE.has(value) ? true : FALSE.has(value) ? false : undefined;
}

const TRUE: ReadonlySet<string> = new Set(["true", "yes", "on", "y"]);
const FALSE: ReadonlySet<string> = new Set(["false", "no", "off", "n"]);

/** Seconds of a duration (`0.25s`, or a message of `seconds` and `nanos`). */
export function seconds(node: ConfigNode | undefined): number | undefined {
  if (node?.kind === "map") return (number(at(node, "seconds")) ?? 0) + (number(at(node, "nanos")) ?? 0) / 1e9;
  const [, value] = /^(-?\d+(?:\.\d+)?)s$/.exec(text(node) ?? "") ?? [];
  return value === undefined ? undefined : Number(value);
}

/** Every node below, the node itself first. */
export function* walk(node: ConfigNode | undefined): Generator<ConfigNode> {
  if (node === undefined) return;
  yield node;
  const below = node.kind === "map" ? node.entries.map(({ value }) => value) : items(node);
  if (node.kind !== "scalar") for (const one of below) yield* walk(one);
}

/** The first node below whose mapping has that field, with the field's value. */
export function find(node: ConfigNode | undefined, name: string): ConfigNode | undefined {
  for (const one of walk(node)) {
    const value = at(one, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The JSON path of a key below a path. */
export function keyPath(path: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
