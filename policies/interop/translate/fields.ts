import { type ForeignDocument, isRecord } from "../foreign-yaml.ts";
import { InteropError } from "../interop-error.ts";
import type { SourcePlace } from "../report.ts";

type Path = readonly (string | number)[];

/** A map of the source whose keys may be written as `PathExact`, `pathExact` or `path_exact`. */
export class Fields {
  readonly #document: ForeignDocument;
  readonly #path: Path;
  readonly #values: ReadonlyMap<string, readonly [string, unknown]>;

  constructor(document: ForeignDocument, path: Path, value: unknown) {
    const text = path.length === 0 ? "the document" : `\`${path.join(".")}\``;
    const place = document.at(path);
    if (!isRecord(value))
      throw new InteropError(
        "ERR_POLICY_INTEROP_INVALID",
        `${place.file}:${place.line}:${place.column}: ${text} is no map`,
      );
    this.#document = document;
    this.#path = path;
    this.#values = new Map(Object.entries(value).map(([key, one]) => [folded(key), [key, one]]));
  }

  /** Where the map, or one of its keys, stands. */
  place(key?: string): SourcePlace {
    const written = key === undefined ? undefined : this.#values.get(folded(key))?.[0];
    return this.#document.at(written === undefined ? this.#path : [...this.#path, written]);
  }

  has(key: string): boolean {
    const value = this.get(key);
    return value !== undefined && value !== null && value !== "";
  }

  get(key: string): unknown {
    return this.#values.get(folded(key))?.[1];
  }

  /** A text, or `undefined` where there is none. */
  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string") throw this.invalid(key, "is no text");
    return value;
  }

  flag(key: string): boolean {
    const value = this.get(key);
    if (value === undefined || value === null) return false;
    if (typeof value !== "boolean") throw this.invalid(key, "is neither true nor false");
    return value;
  }

  texts(key: string): readonly string[] {
    return this.#list(key).map((value) => {
      if (typeof value !== "string") throw this.invalid(key, "holds something that is no text");
      return value;
    });
  }

  /** The maps of a list; one map is a list of one, as HCL writes blocks. */
  maps(key: string): readonly Fields[] {
    const single = isRecord(this.get(key)) ? this.map(key) : undefined;
    if (single !== undefined) return [single];
    const written = this.#values.get(folded(key))?.[0] ?? key;
    return this.#list(key).map((value, index) => new Fields(this.#document, [...this.#path, written, index], value));
  }

  map(key: string): Fields | undefined {
    const entry = this.#values.get(folded(key));
    if (entry === undefined || entry[1] === null) return undefined;
    return new Fields(this.#document, [...this.#path, entry[0]], entry[1]);
  }

  /** Keys that are not among the known ones. */
  unknown(known: readonly string[]): readonly string[] {
    const names = new Set(known.map(folded));
    return [...this.#values].filter(([key]) => !names.has(key)).map(([, [written]]) => written);
  }

  invalid(key: string, what: string): InteropError {
    const { file, line, column } = this.place(key);
    return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: \`${key}\` ${what}`);
  }

  #list(key: string): readonly unknown[] {
    const value = this.get(key);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.invalid(key, "is no list");
    return value;
  }
}

const folded = (key: string): string => key.toLowerCase().replaceAll("_", "");
