import type { Json } from "../config/json.ts";
import { EnvoyError } from "../envoy-error.ts";
import type { Edit } from "../lint/edit.ts";
import type { ConfigSource } from "../lint/source.ts";
import type { ConfigNode, Entry, MapNode, SeqNode } from "../lint/tree.ts";
import { mergeEdits } from "./merge-edits.ts";
import { entryLines, flowYaml, indented, itemLines, scalarYaml } from "./value-text.ts";

/** A piece of text that takes the place of another. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Carries edits out on the text itself, so that whatever they do not touch stays as it is, comments and all. */
export function applyEdits(source: ConfigSource, edits: readonly Edit[]): string {
  const writer = new Writer(source);
  const splices = mergeEdits(edits).map((edit) => writer.splice(edit));
  // Of several at one place the deepest comes first: the outer block goes on behind the inner one.
  const ordered = splices.map((splice, index) => ({
    splice,
    index,
    depth: /^\n( *)/.exec(splice.text)?.[1]?.length ?? 0,
  }));
  ordered.sort((a, b) => a.splice.start - b.splice.start || b.depth - a.depth || a.index - b.index);
  const newline = source.text.includes("\r\n") ? "\r\n" : "\n";
  const pieces: string[] = [];
  let from = 0;
  for (const { splice } of ordered) {
    pieces.push(source.text.slice(from, splice.start), splice.text.replaceAll("\n", newline));
    from = Math.max(from, splice.end);
  }
  return pieces.join("") + source.text.slice(from);
}

class Writer {
  private readonly text: string;
  private readonly source: ConfigSource;

  constructor(source: ConfigSource) {
    this.source = source;
    this.text = source.text;
  }

  splice(edit: Edit): Splice {
    switch (edit.kind) {
      case "set":
        return this.set(edit.map, edit.key, edit.value);
      case "exchange":
        return this.exchange(edit.map, edit.old, edit.key, edit.value);
      case "insert":
        return this.insert(edit.seq, edit.index, edit.values);
    }
  }

  private set(map: ConfigNode, key: string, value: Json): Splice {
    if (map.kind !== "map") throw this.cannot(map);
    const entry = map.entries.find((one) => one.key === key);
    if (entry !== undefined) return this.replace(map, entry, key, value);
    if (map.flow) return this.setInFlow(map, key, value);
    const after = anchorOf(map, value);
    if (after === undefined) throw this.cannot(map);
    return this.behind(after.value, this.lines(entryLines(key, value), this.columnOf(after.keyStart)));
  }

  private setInFlow(map: MapNode, key: string, value: Json): Splice {
    const last = map.entries.at(-1);
    const indent = this.flowIndent(map, map.entries[0]?.keyStart);
    const pair = this.pair(key, value, indent);
    if (last === undefined)
      return { start: map.start, end: map.end, text: this.isJson() ? `{${pair}}` : `{ ${pair} }` };
    return {
      start: last.value.end,
      end: last.value.end,
      text: indent === undefined ? `, ${pair}` : `,\n${" ".repeat(indent)}${pair}`,
    };
  }

  /** Column of a collection in braces that is written over several lines; undefined where it is on one. */
  private flowIndent(node: ConfigNode, firstChild: number | undefined): number | undefined {
    if (firstChild === undefined) return undefined;
    return this.text.slice(node.start, firstChild).includes("\n") ? this.columnOf(firstChild) : undefined;
  }

  private exchange(map: ConfigNode, old: string, key: string, value: Json): Splice {
    const entry = map.kind === "map" ? map.entries.find((one) => one.key === old) : undefined;
    if (map.kind !== "map" || entry === undefined) throw this.cannot(map);
    return this.replace(map, entry, key, value);
  }

  private replace(map: MapNode, entry: Entry, key: string, value: Json): Splice {
    const start = entry.keyStart;
    const end = Math.max(entry.keyEnd, contentEnd(entry.value));
    if (
      entry.key === key &&
      entry.value.kind === "scalar" &&
      typeof value !== "object" &&
      entry.value.end > entry.value.start
    )
      return {
        start: entry.value.start,
        end: entry.value.end,
        text: this.isJson() ? JSON.stringify(value) : scalarYaml(value),
      };
    // An empty value is nothing behind the colon.
    const colon = end === entry.keyEnd ? this.text.indexOf(":", end) + 1 : end;
    if (map.flow)
      return { start, end: colon, text: this.pair(key, value, this.flowIndent(map, map.entries[0]?.keyStart)) };
    const [first = "", ...rest] = entryLines(key, value);
    const text = [first, ...indented(rest, this.columnOf(start))].join("\n");
    // A literal block ends with its line.
    return { start, end: colon, text: this.text[colon - 1] === "\n" ? `${text}\n` : text };
  }

  private insert(seq: ConfigNode, index: number, values: readonly Json[]): Splice {
    if (seq.kind !== "seq") throw this.cannot(seq);
    if (seq.flow) return this.insertInFlow(seq, index, values);
    const [first] = seq.items;
    if (first === undefined) throw this.cannot(seq);
    const lines = this.lines(values.flatMap(itemLines), this.columnOf(this.dashOf(first)));
    const next = seq.items[index];
    const last = seq.items.at(-1) ?? first;
    return next === undefined ? this.behind(last, lines) : this.before(next, lines);
  }

  private insertInFlow(seq: SeqNode, index: number, values: readonly Json[]): Splice {
    const indent = this.flowIndent(seq, seq.items[0]?.start);
    const pieces = values.map((value) => this.value(value, indent));
    const gap = indent === undefined ? " " : `\n${" ".repeat(indent)}`;
    const next = seq.items[index];
    const last = seq.items.at(-1);
    if (next !== undefined)
      return { start: next.start, end: next.start, text: pieces.map((piece) => `${piece},${gap}`).join("") };
    if (last !== undefined)
      return { start: last.end, end: last.end, text: pieces.map((piece) => `,${gap}${piece}`).join("") };
    return { start: seq.start, end: seq.end, text: `[${pieces.join(", ")}]` };
  }

  /** Lines behind the line on which a node ends, with the comment that may stand there. */
  private behind(node: ConfigNode, lines: string): Splice {
    const end = contentEnd(node);
    const newline = this.text[end - 1] === "\n" ? end - 1 : this.text.indexOf("\n", end);
    const line = newline === -1 ? this.text.length : newline;
    const at = this.text[line - 1] === "\r" ? line - 1 : line;
    return { start: at, end: at, text: `\n${lines}` };
  }

  /** Lines before an item, and before the comment lines that belong to it. */
  private before(item: ConfigNode, lines: string): Splice {
    const dash = this.dashOf(item);
    let line = this.lineStart(dash);
    if (this.text.slice(line, dash).trim() !== "") throw this.cannot(item);
    while (line > 0 && /^\s*#/.test(this.text.slice(this.lineStart(line - 1), line - 1)))
      line = this.lineStart(line - 1);
    return { start: line, end: line, text: `${lines}\n` };
  }

  private dashOf(item: ConfigNode): number {
    const from = Math.max(0, item.start - 400);
    const found = /-\s+(?:[&!]\S*\s+)*$/.exec(this.text.slice(from, item.start));
    if (found === null) throw this.cannot(item);
    return from + found.index;
  }

  private lines(lines: readonly string[], indent: number): string {
    return indented(lines, indent).join("\n");
  }

  private lineStart(offset: number): number {
    return this.text.lastIndexOf("\n", offset - 1) + 1;
  }

  private columnOf(offset: number): number {
    return offset - this.lineStart(offset);
  }

  private pair(key: string, value: Json, indent: number | undefined): string {
    return `${this.isJson() ? JSON.stringify(key) : scalarYaml(key)}: ${this.value(value, indent)}`;
  }

  private value(value: Json, indent: number | undefined): string {
    if (!this.isJson()) return flowYaml(value);
    return indent === undefined
      ? JSON.stringify(value)
      : JSON.stringify(value, undefined, 2).replaceAll("\n", `\n${" ".repeat(indent)}`);
  }

  private isJson(): boolean {
    return this.source.form === "json";
  }

  private cannot(node: ConfigNode): EnvoyError {
    const { file, line, column } = this.source.span(node.start, node.end);
    return new EnvoyError(
      "ERR_ENVOY_CONFIG",
      `${file}:${line}:${column}: \`${node.path}\` is written in a way that cannot be changed in place`,
      {
        hint: "write it as an ordinary block, without anchors, and run the command again",
      },
    );
  }
}

/** A short value stands behind the leading ones of its mapping, a long one at the mapping's end. */
function anchorOf(map: MapNode, value: Json): Entry | undefined {
  const leading = map.entries.findIndex((entry) => entry.value.kind !== "scalar");
  if (typeof value === "object" || leading === 0) return map.entries.at(-1);
  return leading === -1 ? map.entries.at(-1) : map.entries[leading - 1];
}

/** Where a node's last character is: what follows of a block is blank lines and comments. */
function contentEnd(node: ConfigNode): number {
  if (node.kind === "scalar" || node.flow) return node.end;
  const last = node.kind === "map" ? node.entries.at(-1)?.value : node.items.at(-1);
  return last === undefined
    ? node.end
    : Math.max(contentEnd(last), node.kind === "map" ? (node.entries.at(-1)?.keyEnd ?? 0) : 0);
}
