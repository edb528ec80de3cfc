import { type ConfigNode, type Entry, keyPath, type ScalarValue } from "./tree.ts";

/** JSON that cannot be read, at an offset. */
export class JsonSyntaxError extends SyntaxError {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const MAX_DEPTH = 500;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const SPACE = /[ \t\r\n]*/y;
const WORDS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Reads JSON (RFC 8259) into nodes with places, at the speed that the dumps of a large mesh need. Throws `JsonSyntaxError`. */
export function readJson(source: string): ConfigNode {
  const reader = new JsonReader(source);
  const root = reader.value("$", 0);
  reader.end();
  return root;
}

class JsonReader {
  private offset = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  value(path: string, depth: number): ConfigNode {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError("it is nested too deeply", this.offset);
    this.space();
    const start = this.offset;
    switch (this.source[start]) {
      case "{":
        return { kind: "map", flow: true, entries: this.entries(path, depth), start, end: this.offset, path };
      case "[":
        return { kind: "seq", flow: true, items: this.items(path, depth), start, end: this.offset, path };
      default:
        return { kind: "scalar", value: this.scalar(), start, end: this.offset, path };
    }
  }

  end(): void {
    this.space();
    if (this.offset < this.source.length) throw new JsonSyntaxError("something follows the value", this.offset);
  }

  private entries(path: string, depth: number): readonly Entry[] {
    const found: Entry[] = [];
    this.list("}", () => {
      const keyStart = this.offset;
      const key = this.string();
      const keyEnd = this.offset;
      this.space();
      this.expect(":");
      found.push({ key, keyStart, keyEnd, value: this.value(keyPath(path, key), depth + 1) });
    });
    return found;
  }

  private items(path: string, depth: number): readonly ConfigNode[] {
    const found: ConfigNode[] = [];
    this.list("]", () => found.push(this.value(`${path}[${found.length}]`, depth + 1)));
    return found;
  }

  private list(close: string, one: () => void): void {
    this.offset += 1;
    this.space();
    if (this.taken(close)) return;
    for (;;) {
      this.space();
      one();
      this.space();
      if (this.taken(close)) return;
      this.expect(",");
    }
  }

  private scalar(): ScalarValue {
    if (this.source[this.offset] === '"') return this.string();
    for (const [word, value] of WORDS) if (this.taken(word)) return value;
    return Number(this.match(NUMBER, "a value"));
  }

  private string(): string {
    const start = this.offset;
    try {
      return String(JSON.parse(this.match(STRING, "a string")));
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw error;
      throw new JsonSyntaxError("a string is not one of JSON", start);
    }
  }

  private match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.source)?.[0];
    if (found === undefined) throw new JsonSyntaxError(`${what} is expected`, this.offset);
    this.offset += found.length;
    return found;
  }

  private taken(word: string): boolean {
    if (!this.source.startsWith(word, this.offset)) return false;
    this.offset += word.length;
    return true;
  }

  private expect(mark: string): void {
    if (!this.taken(mark)) throw new JsonSyntaxError(`\`${mark}\` is expected`, this.offset);
  }

  private space(): void {
    SPACE.lastIndex = this.offset;
    SPACE.exec(this.source);
    this.offset = SPACE.lastIndex;
  }
}
