import { LINT_IDS, LINT_RULES } from "../catalogue/index.ts";

/** The catalogue as Markdown, a heading an id, for `docs/envoy-lint.md`. */
export function catalogueText(mended: ReadonlySet<string>): string {
  return LINT_IDS.map((id) => {
    const { severity, title, why, remedy, advisories = [] }: Rule = LINT_RULES[id];
    const heads = [severity, ...(mended.has(id) ? ["`patch` mends it"] : [])].join(", ");
    const known = advisories.length === 0 ? "" : `\n\nPublished: ${advisories.join(", ")}.`;
    return `### ${id}\n\n*${heads}* — ${sentence(title)} ${sentence(why)}\n\n${sentence(remedy)}${known}\n`;
  }).join("\n");
}

type Rule = (typeof LINT_RULES)[keyof typeof LINT_RULES];

function sentence(text: string): string {
  const [first = ""] = text;
  return `${first.toUpperCase()}${text.slice(1)}.`;
}
