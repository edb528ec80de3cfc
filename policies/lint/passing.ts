import type { Finding } from "../findings/index.ts";
import type { LineOf } from "./line-at.ts";
import type { Subject } from "./subject.ts";
import { witnessOf } from "./witness.ts";

/**
 * A request that a changed deny line would hit and that gets through as things are, at any destination of the line as it
 * stands; undefined where there is none.
 */
export function passing(changed: LineOf, line: LineOf, subject: Subject): Pick<Finding, "witness"> | undefined {
  for (const view of subject.viewsOf(line)) {
    const answer = subject.ask({ view, all: [changed], none: view.denies, some: view.allows });
    if (answer.kind === "found") return witnessOf(answer.attributes(), subject);
  }
  return undefined;
}
