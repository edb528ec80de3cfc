import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkTeams } from "../../policies/index.ts";
import { starterSet } from "../init/starter-set.ts";
import type { PolicyText } from "../policy-folder.ts";
import { PASSES } from "./passes.ts";
import { errorsOf, readDocuments } from "./read-set.ts";
import { runPasses } from "./run-passes.ts";
import { teamText } from "./testing/team.ts";

const PLATFORM: readonly PolicyText[] = [
  ...starterSet("mesh.example").map(({ name, text }) => ({ path: name, text })),
  { path: "team.yaml", text: teamText("orders", "shop") },
];
const text = readFileSync(new URL("../../docs/lint.md", import.meta.url), "utf8");
const [, chapter = ""] = text.split("## Guardrails, grants and suppressions\n");

/** Ids of what is found in an example beside the starter set: by the passes, and of a publish by the team. */
function idsOf(example: string): readonly string[] {
  const own = { path: "own.yaml", text: example };
  const read = readDocuments([...PLATFORM, own]);
  expect(errorsOf(read.set.diagnostics)).toBe(0);
  const isOfSource = ({ span }: { readonly span: { readonly file: string } }): boolean => span.file === own.path;
  const progress = { show: () => undefined, clear: () => undefined };
  const report = runPasses({ files: [...PLATFORM, own], foreign: [], passes: PASSES, now: new Date(), progress });
  const granted = checkTeams({ ...read, source: "orders", isOfSource });
  return [...report.findings, ...granted].map(({ id }) => id);
}

describe("docs/lint.md", () => {
  const sections = chapter.split(/^### /m).slice(1);

  it("has a section for every finding of guardrails, grants and suppressions", () => {
    const ids = sections.map((section) => /^`([a-z-]+)`/.exec(section)?.[1]);
    expect(ids).toEqual([
      ...["guardrail-never", "guardrail-only", "guardrail-matches-nothing"],
      ...["team-kind", "team-namespace", "team-identity", "team-label"],
      ...["suppression-without-reason", "suppression-unused", "suppression-refused"],
    ]);
  });

  it.each(sections.map((section) => [/^`([a-z-]+)`/.exec(section)?.[1] ?? "", section]))(
    "shows what gives `%s` and what does not",
    (id, section) => {
      const examples = [...section.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, example = ""]) => example);
      expect(examples).toHaveLength(2);
      expect(idsOf(examples[0] ?? "")).toContain(id);
      expect(idsOf(examples[1] ?? "")).not.toContain(id);
    },
  );
});
