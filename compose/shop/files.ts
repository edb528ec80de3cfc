import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with the shop's policies, in the package's own tree. */
export function shopPolicyFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const policies = join(folder, "compose", "shop", "policies");
    if (existsSync(policies)) return policies;
    if (folder === dirname(folder))
      throw new Error("the package lacks its folder `compose/shop/policies`: install it again");
  }
}

/** The shop's policy files, in order of their names. */
export function shopPolicyFiles(): readonly { readonly path: string; readonly text: string }[] {
  const folder = shopPolicyFolder();
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), "utf8") }));
}
