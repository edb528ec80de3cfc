/** A predicate is true, false, or unknown: its input is withheld or missing by configuration (docs/semantics.md). */
export type Truth = boolean | "unknown";

/** True where both are, false where either is, else unknown. */
export function both(left: Truth, right: Truth): Truth {
  if (left === false || right === false) return false;
  return left === true ? right : left;
}

/** True where either is, false where both are, else unknown. */
export function either(left: Truth, right: Truth): Truth {
  if (left === true || right === true) return true;
  return left === false ? right : left;
}

/** False where it is true and the other way round; unknown stays unknown. */
export function negate(truth: Truth): Truth {
  return truth === "unknown" ? truth : !truth;
}
