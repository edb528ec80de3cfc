import { type Span, sourceText } from "../../policies/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { JsonSyntaxError, readJson } from "./read-json.ts";
import { readYaml, YamlSyntaxError } from "./read-yaml.ts";
import type { ConfigNode } from "./tree.ts";

/** A configuration's text and what stands in it. */
export interface ConfigSource {
  /** How the user reaches it: a path, a URL. */
  readonly file: string;
  readonly text: string;
  readonly form: "yaml" | "json";
  readonly root: ConfigNode;
  /** The place of `[start, end)`, offsets into `text`. */
  span(start: number, end: number): Span;
}

/** Reads an Envoy configuration, YAML or JSON. Throws `ERR_ENVOY_CONFIG` with the place of what cannot be read. */
export function readSource(file: string, raw: string): ConfigSource {
  const { text: source, span } = sourceText(file, raw);
  try {
    const json = /^\s*[{[]/.test(source) ? tryJson(source) : undefined;
    const root = json ?? readYaml(source);
    return { file, text: source, form: json === undefined ? "yaml" : "json", root, span };
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    throw unreadable(span(error.offset, error.offset), error.message);
  }
}

/** A text in braces may be YAML in flow style, so what is no JSON is read as YAML. */
function tryJson(source: string): ConfigNode | undefined {
  try {
    return readJson(source);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function unreadable({ file, line, column }: Span, message: string): EnvoyError {
  const text = message.split("\n")[0] ?? message;
  const sentence = `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
  return new EnvoyError("ERR_ENVOY_CONFIG", `${file}:${line}:${column}: no YAML or JSON: ${sentence}`);
}
