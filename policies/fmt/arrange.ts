import { isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import type { KeyOrder } from "./key-order.ts";

/** Puts keys into canonical order and each request on a line of its own, below a node. Comments go with what they stand before. */
export function arrange(node: unknown, order: KeyOrder, isRoot = false): void {
  if (isSeq(node)) {
    for (const item of node.items) arrange(item, order.item);
    if (node.items.some(holdsRequests)) node.flow = false;
    startClean(node.items[0]);
    pad(node, "");
  }
  if (!isMap(node)) return;
  for (const pair of node.items) arrange(pair.value, order.below(keyText(pair)));
  if (isRoot) sortBelowHeader(node, order);
  else {
    moveComment(node);
    sortKeys(node, order);
  }
  for (const pair of node.items) if (isRequests(pair)) pair.value.flow = false;
  if (holdsRequests(node)) node.flow = false;
  startClean(node.items[0]?.key);
  pad(node, " ");
}

/** `{ a: b }` with blanks, `[a, b]` without; the library knows one way for both. */
function pad(node: YAMLMap | YAMLSeq, flowCollectionPadding: string): void {
  const print = node.toString.bind(node);
  node.toString = (context, ...rest) =>
    print(context === undefined ? undefined : { ...context, flowCollectionPadding }, ...rest);
}

/** Whether a list of requests is somewhere below, which no flow collection can show line by line. */
function holdsRequests(node: unknown): boolean {
  if (isSeq(node)) return node.items.some(holdsRequests);
  if (!isMap(node)) return false;
  return node.items.some((pair) => isRequests(pair) || holdsRequests(pair.value));
}

/** A list that YAML has torn apart at a comma stays as it is, for the reader to say so. */
function isRequests(pair: Pair): pair is Pair & { value: YAMLSeq } {
  const { value } = pair;
  if (keyText(pair) !== "requests" || !isSeq(value)) return false;
  return value.items.every((item) => isScalar(item) && /^\S+ \S+$/.test(String(item.value)));
}

function keyText({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : "";
}

/** A comment at the top of a map belongs to the key that it stands before. */
function moveComment(map: YAMLMap): void {
  const first = map.items[0]?.key;
  if (map.flow === true || map.commentBefore == null || !isNode(first)) return;
  first.commentBefore = joined(map.commentBefore, first.commentBefore);
  map.commentBefore = null;
}

function joined(upper: string, lower: string | null | undefined): string {
  return lower == null || lower === "" ? upper : `${upper}\n${lower}`;
}

/** What stands at the top of a document is about the document, or for editors; it stays at the top. */
function sortBelowHeader(map: YAMLMap, order: KeyOrder): void {
  const first = map.items[0]?.key;
  const header = isNode(first) ? first.commentBefore : null;
  if (isNode(first)) first.commentBefore = null;
  sortKeys(map, order);
  const now = map.items[0]?.key;
  if (header != null && isNode(now)) now.commentBefore = joined(header, now.commentBefore);
}

/** Keys that the language does not name keep their places among themselves, after the others. */
function sortKeys(map: YAMLMap, { keys }: KeyOrder): void {
  if (keys.length === 0) return;
  const place = (pair: Pair): number => {
    const at = keys.indexOf(keyText(pair));
    return at === -1 ? keys.length : at;
  };
  map.items.sort((left, right) => place(left) - place(right));
}

/** No empty line before the first of several. */
function startClean(first: unknown): void {
  if (isNode(first)) first.spaceBefore = false;
}
