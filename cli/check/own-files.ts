import type { Finding, Span } from "../../policies/index.ts";
import { printable } from "../../policies/printable.ts";
import type { PolicyText } from "../policy-folder.ts";

/** Tells the user's own files from those that `--against` brings in. */
export interface OwnFiles {
  has(span: Span): boolean;
  /** Whether a finding is the user's: it stands in an own file, points to one, or has no place. */
  concerns(finding: Finding): boolean;
}

/** The files of the folders that the user named. */
export function ownFiles(files: readonly PolicyText[]): OwnFiles {
  const paths = new Set(files.map(({ path }) => printable(path, 1024)));
  const has = ({ file }: Span): boolean => paths.has(file);
  return {
    has,
    concerns: ({ span, related = [] }) => span === undefined || has(span) || related.some((each) => has(each.span)),
  };
}
