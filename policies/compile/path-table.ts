import { segmentMatches, withoutEmptyLast, withoutTrailingSlash } from "../match/pattern.ts";
import type { PathPattern, PatternSegment, Rule } from "../model/index.ts";
import { encodePath } from "../path/encode-path.ts";

/** Takes what a lookup finds. */
export interface PathVisitor<T> {
  visit(value: T): void;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  readonly parameters: { readonly pattern: PatternSegment; readonly key: string; readonly next: Node<T> }[];
  readonly rests: { readonly tail: readonly PatternSegment[]; readonly value: T }[];
  readonly values: T[];
}

/**
 * Path patterns of one effect: an exact map for literal ones, a trie over segments for the others. Finds what
 * `patternMatches` says of each, in time that does not grow with the number of literal patterns.
 */
export class PathTable<T> {
  readonly #isDeny: boolean;
  readonly #exact = new Map<string, T[]>();
  readonly #root: Node<T> = emptyNode();
  #hasPatterns = false;

  constructor(effect: Rule["effect"]) {
    this.#isDeny = effect === "deny";
  }

  add(pattern: PathPattern, value: T): void {
    const segments = this.#isDeny ? withoutTrailingSlash(pattern.segments) : pattern.segments;
    const literals = segments.flatMap((segment) => (segment.kind === "literal" ? [segment.value] : []));
    if (literals.length < segments.length) this.#addPattern(segments, value);
    else append(this.#exact, encodePath(literals), value);
  }

  /** Visits each value whose pattern matches, once for each such pattern, in no particular order. */
  find(path: string, segments: readonly string[], visitor: PathVisitor<T>): void {
    const isCut = this.#isDeny && path.length > 1 && path.endsWith("/");
    const exact = this.#exact.get(isCut ? path.slice(0, -1) : path);
    if (exact !== undefined) for (const value of exact) visitor.visit(value);
    if (!this.#hasPatterns) return;
    const read = this.#isDeny ? withoutEmptyLast(segments) : segments;
    walk(this.#root, read, 0, this.#isDeny ? 0 : 1, visitor);
  }

  #addPattern(segments: readonly PatternSegment[], value: T): void {
    this.#hasPatterns = true;
    let node = this.#root;
    for (const [index, segment] of segments.entries()) {
      if (segment.kind === "rest") {
        node.rests.push({ tail: segments.slice(index + 1), value });
        return;
      }
      node = child(node, segment);
    }
    node.values.push(value);
  }
}

function walk<T>(
  node: Node<T>,
  segments: readonly string[],
  depth: number,
  leastRest: number,
  visitor: PathVisitor<T>,
): void {
  for (const { tail, value } of node.rests) {
    if (segments.length >= depth + leastRest + tail.length && tailMatches(tail, segments)) visitor.visit(value);
  }
  const segment = segments[depth];
  if (segment === undefined) {
    for (const value of node.values) visitor.visit(value);
    return;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) walk(literal, segments, depth + 1, leastRest, visitor);
  for (const { pattern, next } of node.parameters) {
    if (segmentMatches(pattern, segment)) walk(next, segments, depth + 1, leastRest, visitor);
  }
}

function tailMatches(tail: readonly PatternSegment[], segments: readonly string[]): boolean {
  const start = segments.length - tail.length;
  return tail.every((pattern, index) => segmentMatches(pattern, segments[start + index] ?? ""));
}

function child<T>(node: Node<T>, segment: PatternSegment): Node<T> {
  if (segment.kind === "literal") {
    const next = node.literals.get(segment.value) ?? emptyNode<T>();
    node.literals.set(segment.value, next);
    return next;
  }
  // Parameters that accept the same segments share a node, whatever their names.
  const key = segment.kind === "parameter" ? JSON.stringify([segment.type, segment.prefix, segment.suffix]) : "";
  const known = node.parameters.find((parameter) => parameter.key === key);
  if (known !== undefined) return known.next;
  const next = emptyNode<T>();
  node.parameters.push({ pattern: segment, key, next });
  return next;
}

function emptyNode<T>(): Node<T> {
  return { literals: new Map(), parameters: [], rests: [], values: [] };
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
