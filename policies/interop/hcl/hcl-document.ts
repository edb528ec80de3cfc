import { type ForeignDocument, pathText } from "../foreign-yaml.ts";
import type { SourceText } from "../importer.ts";
import type { SourcePlace } from "../report.ts";
import { type HclText, type HclValue, readHcl } from "./read-hcl.ts";

type Path = readonly (string | number)[];

/** Whether a text is HCL rather than YAML or JSON: its file's name says so, or its first line does. */
export function isHcl({ path, text }: SourceText): boolean {
  if (path.endsWith(".hcl")) return true;
  const first = text.split("\n").find((line) => !/^\s*(?:#|\/\/|$)/.test(line));
  return first !== undefined && /^\s*"?[A-Za-z_]\w*"?\s*(?:=|\{)/.test(first) && !first.trim().startsWith("{");
}

/** A text of HCL as one document, its blocks as maps. Throws `InteropError` `ERR_POLICY_INTEROP_SYNTAX`. */
export function readHclDocument(source: SourceText): ForeignDocument {
  const places = new Map<string, SourcePlace>();
  const start: SourcePlace = { file: source.path, line: 1, column: 1 };
  const value = plainOfBlock(readHcl(source), [], places);
  return {
    value,
    at: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const place = places.get(pathText(path.slice(0, length)));
        if (place !== undefined) return { ...place, path: pathText(path) };
      }
      return { ...start, path: pathText(path) };
    },
  };
}

function plainOfBlock(
  { attributes, blocks }: HclText,
  path: Path,
  places: Map<string, SourcePlace>,
): Readonly<Record<string, unknown>> {
  const plain = new Map<string, unknown>();
  for (const [name, value] of attributes) plain.set(name, plainOf(value, [...path, name], places));
  for (const name of new Set(blocks.map(({ type }) => type))) {
    const named = blocks.filter(({ type }) => type === name);
    const maps = named.map((block, index) => {
      const here = named.length === 1 ? [...path, name] : [...path, name, index];
      places.set(pathText(here), block.place);
      return plainOfBlock(block, here, places);
    });
    plain.set(name, maps.length === 1 ? maps[0] : maps);
  }
  return Object.fromEntries(plain);
}

function plainOf(value: HclValue, path: Path, places: Map<string, SourcePlace>): unknown {
  switch (value.kind) {
    case "text":
      if (value.bare !== true) return value.text;
      return value.text === "true" ? true : value.text === "false" ? false : Number(value.text);
    case "list":
      return value.items.map((item, index) => plainOf(item, [...path, index], places));
    case "map":
      places.set(pathText(path), value.place);
      return Object.fromEntries(
        [...value.entries].map(([name, one]) => [name, plainOf(one, [...path, name], places)] as const),
      );
    case "expression":
      return value.text;
  }
}
