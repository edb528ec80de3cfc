import { printable } from "../../printable.ts";

/** Whether labels satisfy a selector. */
export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

/** What a selector's text comes to: a test of labels, or why it does not parse. */
export type SelectorResult =
  | { readonly ok: true; readonly matches: Selector }
  | { readonly ok: false; readonly reason: string };

const TOKEN =
  /\s*(?:(==|!=|&&|\|\||[(){},!])|("[^"]*"|'[^']*')|(has|all|global)\s*\(|(not\s+in|in|contains|starts\s+with|ends\s+with)(?![\w./-])|([A-Za-z0-9_./-]+))/y;

/** Selectors may be nested this deep. */
const MAX_DEPTH = 100;

interface Token {
  readonly kind: "sign" | "text" | "call" | "word" | "label";
  readonly text: string;
}

/** Reads a Calico selector; the empty one selects everything. `global` is what `global()` comes to: nothing, of namespaces. */
export function parseSelector(text: string, global = true): SelectorResult {
  const tokens = tokensOf(text.trimEnd());
  if (tokens === undefined) return { ok: false, reason: `\`${printable(text, 120)}\` is no selector` };
  if (tokens.length === 0) return { ok: true, matches: () => true };
  const parser = new Parser(tokens, global);
  const matches = parser.alternatives(0);
  if (matches === undefined || !parser.isAtEnd())
    return { ok: false, reason: `\`${printable(text, 120)}\` is no selector` };
  return { ok: true, matches };
}

function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) return undefined;
    const [, sign, quoted, call, word, label] = found;
    if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
    else if (quoted !== undefined) tokens.push({ kind: "text", text: quoted.slice(1, -1) });
    else if (call !== undefined) tokens.push({ kind: "call", text: call });
    else if (word !== undefined) tokens.push({ kind: "word", text: word.replace(/\s+/g, " ") });
    else tokens.push({ kind: "label", text: label ?? "" });
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #global: boolean;
  #at = 0;

  constructor(tokens: readonly Token[], global: boolean) {
    this.#tokens = tokens;
    this.#global = global;
  }

  isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  alternatives(depth: number): Selector | undefined {
    return this.#joined(
      "||",
      () => this.#conjunction(depth),
      (parts) => (labels) => parts.some((one) => one(labels)),
    );
  }

  #conjunction(depth: number): Selector | undefined {
    return this.#joined(
      "&&",
      () => this.#operation(depth),
      (parts) => (labels) => parts.every((one) => one(labels)),
    );
  }

  #joined(
    sign: string,
    next: () => Selector | undefined,
    join: (parts: readonly Selector[]) => Selector,
  ): Selector | undefined {
    const parts: Selector[] = [];
    do {
      const part = next();
      if (part === undefined) return undefined;
      parts.push(part);
    } while (this.#takes(sign));
    return join(parts);
  }

  #operation(depth: number): Selector | undefined {
    let negated = false;
    while (this.#takes("!")) negated = !negated;
    const inner = depth > MAX_DEPTH ? undefined : this.#primary(depth);
    if (inner === undefined || !negated) return inner;
    return (labels) => !inner(labels);
  }

  #primary(depth: number): Selector | undefined {
    if (this.#takes("(")) {
      const inner = this.alternatives(depth + 1);
      return this.#takes(")") ? inner : undefined;
    }
    const token = this.#next();
    if (token?.kind === "call") return this.#call(token.text);
    return token?.kind === "label" ? this.#test(token.text) : undefined;
  }

  #call(name: string): Selector | undefined {
    const label = name === "has" ? this.#next() : undefined;
    if (!this.#takes(")")) return undefined;
    if (name !== "has") return name === "global" ? () => this.#global : () => true;
    return label?.kind === "label" ? (labels) => labels[label.text] !== undefined : undefined;
  }

  #test(label: string): Selector | undefined {
    const operator = this.#next()?.text;
    if (operator === "in" || operator === "not in") {
      const values = this.#set();
      if (values === undefined) return undefined;
      return (labels) => values.includes(labels[label] ?? "\u0000") === (operator === "in");
    }
    const value = this.#next();
    return value?.kind === "text" ? comparison(operator, label, value.text) : undefined;
  }

  #set(): readonly string[] | undefined {
    const values: string[] = [];
    if (!this.#takes("{")) return undefined;
    if (this.#takes("}")) return values;
    do {
      const value = this.#next();
      if (value?.kind !== "text") return undefined;
      values.push(value.text);
    } while (this.#takes(","));
    return this.#takes("}") ? values : undefined;
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #next(): Token | undefined {
    this.#at += 1;
    return this.#tokens[this.#at - 1];
  }
}

function comparison(operator: string | undefined, label: string, value: string): Selector | undefined {
  switch (operator) {
    case "==":
      return (labels) => labels[label] === value;
    case "!=":
      return (labels) => labels[label] !== value;
    case "contains":
      return (labels) => labels[label]?.includes(value) === true;
    case "starts with":
      return (labels) => labels[label]?.startsWith(value) === true;
    case "ends with":
      return (labels) => labels[label]?.endsWith(value) === true;
    default:
      return undefined;
  }
}
