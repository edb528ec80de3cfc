import type { Finding } from "../findings/index.ts";
import { type LineOf, placeOf } from "./line-at.ts";

/** The places of lines that a finding speaks of, each with its id. */
export function relatedTo(lines: readonly LineOf[], what: string): NonNullable<Finding["related"]> {
  return lines.map((line) => ({ span: placeOf(line), message: `${what}: \`${line.lineId}\`` }));
}
