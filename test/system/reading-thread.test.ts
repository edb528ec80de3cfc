import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { formatDiagnostics, parseDocuments } from "../../policies/index.ts";
import { readAhead as fromSource } from "../../policies/reading-thread/index.ts";

/** As it is built: a thread of Node.js 20 runs no TypeScript. */
const BUILT = new URL("../../dist/policies/reading-thread/index.js", import.meta.url).href;
const { readAhead }: { readonly readAhead: typeof fromSource } = await import(BUILT);

const WORKLOADS = 8;
const LONG_COMMENT = `# ${"who may call whom ".repeat(500)}\n`;

const TROUBLE: Readonly<Record<number, string>> = {
  0: "---\nkind: [unclosed\n",
  3: "---\nkind: Workload\nkind: Mesh\n<<: *nobody\n",
  6: "---\n# \u200b\n",
  9: "---\napiVersion: cellwall.dev/v1\nkind: Worklaod\nmetadata: { name: x }\n",
};

/** Files of which every third has findings: of YAML, of characters, of the language. */
const FILES = Array.from({ length: 12 }, (_, file) => ({
  path: `team-${file}.yaml`,
  text: `${LONG_COMMENT}${Array.from({ length: WORKLOADS }, (_, at) => workload(`w${file}-${at}`)).join("---\n")}${TROUBLE[file] ?? ""}`,
}));

function workload(name: string): string {
  return `apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: ${name}, labels: { app: "${name}" } }\nspec:\n  mode: enforce\n`;
}

describe("a second thread that reads policy files", () => {
  it("reads some of them, and they say the same as when one thread reads them all", async () => {
    const alone = parseDocuments(FILES);
    expect(alone.diagnostics.length).toBeGreaterThan(3);
    let byThread = 0;
    // How soon a thread gets a processor is not ours to say: it is given more time until it has read something.
    for (let waitMs = 10; byThread === 0 && waitMs < 10_000; waitMs *= 2) {
      const files = readAhead(FILES, { processors: 2 });
      await delay(waitMs);
      const counted = files.map(({ path, text, yaml }) => {
        const read = yaml?.();
        if (read !== undefined) byThread++;
        return { path, text, yaml: () => read };
      });
      const { documents, diagnostics } = parseDocuments(counted);
      expect(documents).toEqual(alone.documents);
      // Whoever asks again is told the same, and does not wait.
      expect(files.map(({ yaml }) => yaml?.())).toEqual(counted.map(({ yaml }) => yaml()));
      expect(formatDiagnostics(diagnostics, { files: FILES, color: false })).toBe(
        formatDiagnostics(alone.diagnostics, { files: FILES, color: false }),
      );
    }
    expect(byThread).toBeGreaterThan(0);
  });

  it("is not started for few texts, on one processor, or where it could not run", () => {
    expect(readAhead(FILES.slice(0, 1), { processors: 2 })).toEqual(FILES.slice(0, 1));
    expect(readAhead(FILES, { processors: 1 })).toBe(FILES);
    expect(fromSource(FILES, { processors: 2 })).toBe(FILES);
  });
});
