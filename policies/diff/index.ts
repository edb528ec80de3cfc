/** The semantic difference of two policy sets. */
export { type DiffOptions, diff } from "./diff.ts";
export { isBroader, isNarrower } from "./direction.ts";
export { diffMarkdown, type MarkdownOptions } from "./markdown.ts";
export type * from "./report.ts";
export { diffText } from "./text.ts";
export { withCandidates } from "./with-candidates.ts";
