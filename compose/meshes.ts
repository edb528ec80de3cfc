import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The demo meshes, by name. */
export const MESHES = ["shop", "boutique", "federated"] as const;

/** Name of a demo mesh. */
export type MeshName = (typeof MESHES)[number];

/** The namespaces of a demo mesh; each of several is a trust domain of its own, with its own documents in a folder of that name. */
const NAMESPACES: Readonly<Record<MeshName, readonly string[]>> = {
  shop: ["shop"],
  boutique: ["boutique"],
  federated: ["store", "pay"],
};

/** One trust domain of a demo mesh. */
export interface MeshSide {
  readonly namespace: string;
  /** Holds `policies/` and `containers/`. */
  readonly folder: string;
}

/** The folder of a demo mesh in the package's own tree, with its `compose.yaml`. */
export function meshFolder(mesh: MeshName): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = join(folder, "compose", mesh);
    if (existsSync(join(found, "compose.yaml"))) return found;
    if (folder === dirname(folder))
      throw new Error(`the package lacks its folder \`compose/${mesh}\`: install it again`);
  }
}

/** The trust domains of a demo mesh: one, or several that are federated. */
export function meshSides(mesh: MeshName): readonly MeshSide[] {
  const namespaces = NAMESPACES[mesh];
  const folder = meshFolder(mesh);
  return namespaces.map((namespace) => ({
    namespace,
    folder: namespaces.length === 1 ? folder : join(folder, namespace),
  }));
}

/** The policy files of a trust domain, in order of their names; those of `containers` come after those of `policies`. */
export function sidePolicyFiles(
  { folder }: MeshSide,
  parts: readonly ("policies" | "containers")[] = ["policies"],
): readonly { readonly path: string; readonly text: string }[] {
  return parts.flatMap((part) => {
    const files = join(folder, part);
    return readdirSync(files)
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .map((name) => ({ path: join(files, name), text: readFileSync(join(files, name), "utf8") }));
  });
}
