import type { PublishResponse } from "../protocol/index.ts";
import { AuthorityError } from "./authority-error.ts";

/** Throws what a refused publish is over HTTP: `ERR_AUTHORITY_POLICIES_REFUSED` with the findings. */
export function throwIfRefused(answer: PublishResponse): PublishResponse {
  const errors = answer.diagnostics.filter((each) => each.severity === "error");
  const first = errors[0];
  if (first === undefined) return answer;
  const place = `${first.span.file}:${first.span.line}:${first.span.column}`;
  throw new AuthorityError("ERR_AUTHORITY_POLICIES_REFUSED", `${place}: ${first.message}`, {
    hint: `${errors.length === 1 ? "this error" : `these ${errors.length} errors`} must go first; the last good revision stays in force`,
    diagnostics: answer.diagnostics.map(({ hint, ...each }) => (hint === undefined ? each : { ...each, hint })),
  });
}
