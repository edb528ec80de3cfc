import { printable } from "../printable.ts";
import type { PolicyFile } from "./policy-file.ts";
import { readYaml, type YamlFile } from "./read-yaml.ts";
import { sourceText } from "./source-text.ts";

/** Reads the YAML of one policy file, its path as findings show it. */
export function readYamlFile({ path, text }: PolicyFile): YamlFile {
  return readYaml(sourceText(printable(path, 1024), text));
}
