import type { Notes } from "../draft/notes.ts";
import { type ForeignDocument, isRecord } from "../foreign-yaml.ts";

type Content = Readonly<Record<string, unknown>>;

/** What stands before every path: `basePath` of version 2.0, the paths of the servers of version 3. */
export function prefixesOf(document: ForeignDocument, root: Content, notes: Notes): readonly string[] {
  if (typeof root.basePath === "string") return [trimmed(root.basePath)];
  const servers: readonly unknown[] = Array.isArray(root.servers) ? root.servers : [];
  const prefixes = servers.flatMap((server, index) => {
    const prefix = isRecord(server) ? prefixOf(server) : undefined;
    if (prefix === undefined)
      notes.add(document.at(["servers", index]), "servers", "unsupported", "the path of this server cannot be read");
    return prefix === undefined ? [] : [prefix];
  });
  return prefixes.length === 0 ? [""] : [...new Set(prefixes)];
}

function prefixOf({ url, variables }: Content): string | undefined {
  if (typeof url !== "string") return undefined;
  const filled = url.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = isRecord(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined;
    return isRecord(variable) && typeof variable.default === "string" ? variable.default : whole;
  });
  if (filled.includes("{") || !URL.canParse(filled, "http://server/")) return undefined;
  return trimmed(new URL(filled, "http://server/").pathname);
}

const trimmed = (path: string): string => path.replace(/\/+$/, "");
