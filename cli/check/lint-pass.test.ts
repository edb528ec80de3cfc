import { describe, expect, it } from "vitest";
import { parseDocuments, resolve, suppress } from "../../policies/index.ts";
import { starterSet } from "../init/starter-set.ts";
import { readPolicyFolders } from "../policy-folder.ts";
import { lintPass } from "./lint-pass.ts";

/** What stands after suppressions, as `id file:line`. */
function standing(files: readonly { readonly path: string; readonly text: string }[]): readonly string[] {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const { findings } = lintPass.run({ set, documents, isOwn: () => true, now: new Date() });
  return suppress(findings, { files, looked: lintPass.finds }).findings.map(
    ({ id, span }) => `${id} ${span?.file}:${span?.line}`,
  );
}

describe("lint of the sets that come with Cellwall", () => {
  it("finds nothing in what `cellwall init` writes", () => {
    const files = starterSet("shop.example").map(({ name, text }) => ({ path: name, text }));
    expect(standing(files)).toEqual([]);
  });

  it("finds nothing in the shop that is not suppressed with a reason", () => {
    expect(standing(readPolicyFolders(["compose/shop/policies"], process.cwd()))).toEqual([]);
  });
});
