import type { Span } from "../model/index.ts";

/** A scalar as written. `lead` is the distance from the span's start to the text's first character, absent where the text is not verbatim. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly text: string;
  readonly style: "plain" | "quoted" | "block";
  readonly span: Span;
  readonly lead?: number;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly TreeNode[];
  /** Written as `[a, b]`. */
  readonly flow: boolean;
  readonly span: Span;
}

export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: TreeNode;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly span: Span;
}

/** A place that holds something already reported; whoever reads it says nothing more. */
export interface BrokenNode {
  readonly kind: "broken";
  readonly span: Span;
}

/** A YAML document as this language sees it: every scalar a text, no aliases, tags or anchors. */
export type TreeNode = ScalarNode | ListNode | MapNode | BrokenNode;

/** The value under a key, if it is there. */
export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => entry.key.text === key);
}

/** The place of characters `[start, end)` of a scalar's text; the whole scalar where they can't be told apart. */
export function spanWithin(node: ScalarNode, start: number, end: number): Span {
  if (node.lead === undefined) return node.span;
  const column = node.span.column + node.lead + start;
  return { ...node.span, column, endColumn: Math.max(column, node.span.column + node.lead + end) };
}

/** Nothing is written there: `key:` with no value. */
export function isNothing(node: TreeNode): boolean {
  return node.kind === "scalar" && node.style === "plain" && node.text === "";
}

/** `null`, `~` or nothing at all. */
export function isNull(node: TreeNode): boolean {
  return node.kind === "scalar" && node.style === "plain" && /^(?:|~|null|Null|NULL)$/.test(node.text);
}
