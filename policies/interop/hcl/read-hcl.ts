import type { SourceText } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import type { SourcePlace } from "../report.ts";
import { hclTokens, type Token } from "./hcl-tokens.ts";

/**
 * A value of HCL. `bare` is a number or truth value, as text. What is neither text, number, truth value, map nor list of
 * such is an expression, kept as its text.
 */
export type HclValue =
  | { readonly kind: "text"; readonly text: string; readonly bare?: true }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, HclValue>; readonly place: SourcePlace }
  | { readonly kind: "list"; readonly items: readonly HclValue[] }
  | { readonly kind: "expression"; readonly text: string };

/** A block: `resource "aws_security_group" "web" { … }`. */
export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly attributes: ReadonlyMap<string, HclValue>;
  readonly blocks: readonly HclBlock[];
  readonly place: SourcePlace;
}

/** Blocks may be this deep. */
const MAX_DEPTH = 40;

/** The attributes and blocks of a text. */
export type HclText = Pick<HclBlock, "attributes" | "blocks">;

/** Reads a text of HCL. Throws `InteropError` `ERR_POLICY_INTEROP_SYNTAX` with the place of the first mistake. */
export function readHcl({ path, text }: SourceText): HclText {
  return new Reader(hclTokens(text, path), path).body(0);
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #file: string;
  #at = 0;

  constructor(tokens: readonly Token[], file: string) {
    this.#tokens = tokens;
    this.#file = file;
  }

  /** Attributes and blocks up to the closing brace, or the end of the text at depth 0. */
  body(depth: number): HclText {
    const attributes = new Map<string, HclValue>();
    const blocks: HclBlock[] = [];
    if (depth > MAX_DEPTH) throw this.#wrong("blocks are too deep");
    for (;;) {
      this.#skipNewlines();
      const token = this.#next();
      if (token === undefined) {
        if (depth > 0) throw this.#wrong("a block that does not end");
        return { attributes, blocks };
      }
      if (token.text === "}" && depth > 0) return { attributes, blocks };
      if (token.kind !== "word" && token.kind !== "string") throw this.#wrong("a name is expected", token);
      if (this.#peek()?.text === "=") {
        this.#at += 1;
        attributes.set(nameOf(token), this.#value(depth));
      } else blocks.push(this.#block(token, depth));
    }
  }

  #block(first: Token, depth: number): HclBlock {
    const labels: string[] = [];
    for (let token = this.#next(); token?.text !== "{" || token.kind !== "sign"; token = this.#next()) {
      if (token === undefined || (token.kind !== "string" && token.kind !== "word"))
        throw this.#wrong("`{` is expected", token);
      labels.push(nameOf(token));
    }
    const place = { file: this.#file, line: first.line, column: first.column, path: [first.text, ...labels].join(".") };
    return { type: first.text, labels, place, ...this.body(depth + 1) };
  }

  #value(depth: number): HclValue {
    const token = this.#peek();
    if (depth > MAX_DEPTH) throw this.#wrong("values are too deep", token);
    if (token?.kind === "sign" && token.text === "[") return this.#list(depth);
    if (token?.kind === "sign" && token.text === "{") return this.#map(token, depth);
    const from = this.#at;
    this.#skipExpression();
    const tokens = this.#tokens.slice(from, this.#at);
    const [only, ...more] = tokens;
    if (only === undefined) throw this.#wrong("a value is expected", token);
    if (more.length === 0 && only.kind === "string" && !only.text.includes("${"))
      return { kind: "text", text: textOf(only) };
    if (more.length === 0 && /^\d+$|^true$|^false$/.test(only.text))
      return { kind: "text", text: only.text, bare: true };
    const sign = tokens.map(({ text }) => text).join("");
    return /^-\d+$/.test(sign) ? { kind: "text", text: sign, bare: true } : { kind: "expression", text: sign };
  }

  #list(depth: number): HclValue {
    const items: HclValue[] = [];
    this.#at += 1;
    for (;;) {
      this.#skipNewlines();
      const token = this.#peek();
      if (token === undefined) throw this.#wrong("a list that does not end");
      if (token.kind === "sign" && (token.text === "]" || token.text === ",")) {
        this.#at += 1;
        if (token.text === "]") return { kind: "list", items };
        continue;
      }
      items.push(this.#value(depth + 1));
    }
  }

  /** A map: `name = value` or `name: value`, parted by commas or the ends of lines. One that is computed is an expression. */
  #map(first: Token, depth: number): HclValue {
    const from = this.#at;
    const entries = new Map<string, HclValue>();
    this.#at += 1;
    for (;;) {
      this.#skipNewlines();
      const token = this.#next();
      if (token === undefined) throw this.#wrong("a map that does not end", first);
      if (token.kind === "sign" && token.text === ",") continue;
      if (token.kind === "sign" && token.text === "}") return { kind: "map", entries, place: this.#placeOf(first) };
      const sign = this.#peek()?.text;
      const named = token.kind === "word" || token.kind === "string";
      if (!named || token.text === "for" || (sign !== "=" && sign !== ":" && sign !== "{")) return this.#computed(from);
      if (sign !== "{") this.#at += 1;
      this.#addTo(entries, nameOf(token), this.#value(depth + 1), sign === "{");
    }
  }

  /** A nested block may stand more than once, and is then a list. */
  #addTo(entries: Map<string, HclValue>, name: string, value: HclValue, isBlock: boolean): void {
    const before = entries.get(name);
    if (before === undefined || !isBlock) entries.set(name, value);
    else entries.set(name, { kind: "list", items: [...(before.kind === "list" ? before.items : [before]), value] });
  }

  #computed(from: number): HclValue {
    this.#at = from;
    this.#skipExpression();
    const tokens = this.#tokens.slice(from, this.#at);
    return { kind: "expression", text: tokens.map(({ text }) => text).join("") };
  }

  #placeOf({ line, column }: Token): SourcePlace {
    return { file: this.#file, line, column };
  }

  /** Passes over an expression: to the end of the line, or to the comma or bracket that ends it. */
  #skipExpression(): void {
    let depth = 0;
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      const sign = token.kind === "sign" ? token.text : "";
      if (depth === 0 && (token.kind === "newline" || sign === "," || "]})".includes(sign || " "))) return;
      if (sign !== "" && "[{(".includes(sign)) depth += 1;
      if (sign !== "" && "]})".includes(sign)) depth -= 1;
      this.#at += 1;
    }
  }

  #skipNewlines(): void {
    while (this.#peek()?.kind === "newline") this.#at += 1;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token | undefined {
    this.#at += 1;
    return this.#tokens[this.#at - 1];
  }

  #wrong(message: string, token = this.#tokens.at(-1)): InteropError {
    const place = `${this.#file}:${token?.line ?? 1}:${token?.column ?? 1}`;
    return new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${place}: ${message}`);
  }
}

const nameOf = (token: Token): string => (token.kind === "string" ? textOf(token) : token.text);

function textOf({ text }: Token): string {
  return text.startsWith("<<") ? text : text.slice(1, -1).replace(/\\(["\\])/g, "$1");
}
