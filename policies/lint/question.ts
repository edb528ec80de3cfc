import type { Attributes } from "../model/index.ts";
import type { LineOf, View } from "./line-at.ts";

/** Whether a request exists that passes intake at a destination and of which lines are true and others are not. */
export interface Question {
  readonly view: View;
  /** Lines that are all true; an allow only of callers that isolation does not keep apart. */
  readonly all: readonly LineOf[];
  /** Lines of which none is true. */
  readonly none: readonly LineOf[];
  /** Lines of which at least one is true, where it is asked. */
  readonly some?: readonly LineOf[];
  /** Whether requests count of which the path or the host is refused. Lines that are unknown of them count as true. */
  readonly refusals?: boolean;
}

/** What a question comes to. */
export type Answer =
  /** The request is made when it is asked for. */
  | { readonly kind: "found"; readonly attributes: () => Attributes }
  | { readonly kind: "none" }
  /** There is too much to look at, so that nothing is claimed. */
  | { readonly kind: "undecided" };

/** Answers questions exactly. */
export type Ask = (question: Question) => Answer;
