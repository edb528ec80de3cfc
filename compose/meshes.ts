import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The demo meshes, by name. */
export const MESHES = ["shop", "boutique"] as const;

/** Name of a demo mesh. */
export type MeshName = (typeof MESHES)[number];

/** The folder of a demo mesh in the package's own tree: `policies/`, `containers/`, `compose.yaml`. */
export function meshFolder(mesh: MeshName): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = join(folder, "compose", mesh);
    if (existsSync(join(found, "policies"))) return found;
    if (folder === dirname(folder))
      throw new Error(`the package lacks its folder \`compose/${mesh}\`: install it again`);
  }
}

/** The policy files of a demo mesh, in order of their names; those of `containers` come after those of `policies`. */
export function meshPolicyFiles(
  mesh: MeshName,
  parts: readonly ("policies" | "containers")[] = ["policies"],
): readonly { readonly path: string; readonly text: string }[] {
  return parts.flatMap((part) => {
    const folder = join(meshFolder(mesh), part);
    return readdirSync(folder)
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), "utf8") }));
  });
}
