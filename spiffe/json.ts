import { excerpt } from "./excerpt.ts";
import { type Refusal, refuse } from "./spiffe-error.ts";

/** A number as it is written, so that none loses digits. */
export interface JsonNumber {
  readonly kind: "number";
  readonly text: string;
}
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** Whether a value is a list. */
export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

type JsonCode = "ERR_SPIFFE_BUNDLE_JSON" | "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY";
export type JsonResult = { readonly ok: true; readonly value: JsonValue } | Refusal<JsonCode>;

const MAX_DEPTH = 32;
const TOKEN = /[ \t\r\n]*(?:([{}[\]:,])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d[\d.eE+-]*)|(true|false|null))/y;
const REST = /[ \t\r\n]*$/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LITERALS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class Unreadable extends Error {
  readonly code: JsonCode;
  constructor(code: JsonCode, message: string) {
    super(message);
    this.code = code;
  }
}

interface Token {
  readonly kind: "mark" | "string" | "number" | "literal";
  readonly text: string;
}

/**
 * Reads JSON (RFC 8259), as strictly as `JSON.parse` and more: a key that stands twice is refused where `JSON.parse`
 * keeps the last one, numbers keep all their digits, and nesting ends at 32 levels. Never throws.
 */
export function tryParseJson(text: string): JsonResult {
  try {
    const reader = new Reader(text);
    const value = reader.value(reader.next(), 0);
    reader.end();
    return { ok: true, value };
  } catch (error) {
    if (error instanceof Unreadable) return refuse(error.code, error.message);
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) throw this.#bad();
    this.#at = TOKEN.lastIndex;
    const [, mark, string, number, literal = ""] = match;
    if (mark !== undefined) return { kind: "mark", text: mark };
    if (string !== undefined) return { kind: "string", text: string };
    return number === undefined ? { kind: "literal", text: literal } : { kind: "number", text: number };
  }

  value(token: Token, depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new Unreadable("ERR_SPIFFE_BUNDLE_JSON", "JSON nested too deeply");
    switch (token.kind) {
      case "string":
        return this.#string(token.text);
      case "number":
        if (!NUMBER.test(token.text)) throw this.#bad();
        return { kind: "number", text: token.text };
      case "literal":
        return LITERALS.get(token.text) ?? null;
      case "mark":
        if (token.text === "{") return this.#object(depth);
        if (token.text === "[") return this.#array(depth);
        throw this.#bad();
    }
  }

  end(): void {
    REST.lastIndex = this.#at;
    if (!REST.test(this.#text)) throw this.#bad();
  }

  #object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    for (let token = this.next(); token.text !== "}" || entries.size > 0; token = this.next()) {
      if (token.kind !== "string") throw this.#bad();
      const key = this.#string(token.text);
      if (entries.has(key)) throw new Unreadable("ERR_SPIFFE_BUNDLE_DUPLICATE_KEY", `key ${excerpt(key)} stands twice`);
      if (this.next().text !== ":") throw this.#bad();
      entries.set(key, this.value(this.next(), depth + 1));
      if (this.#isLast("}")) break;
    }
    return entries;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    for (let token = this.next(); token.text !== "]" || items.length > 0; token = this.next()) {
      items.push(this.value(token, depth + 1));
      if (this.#isLast("]")) break;
    }
    return items;
  }

  #isLast(end: "}" | "]"): boolean {
    const { text } = this.next();
    if (text !== end && text !== ",") throw this.#bad();
    return text === end;
  }

  #string(quoted: string): string {
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw this.#bad();
    }
  }

  #bad(): Unreadable {
    return new Unreadable("ERR_SPIFFE_BUNDLE_JSON", `not JSON near character ${this.#at}`);
  }
}
