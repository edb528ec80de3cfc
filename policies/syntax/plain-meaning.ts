/**
 * What a plain (unquoted) scalar may be to a YAML 1.2 or 1.1 tool. A text that all of them read as text is `text`.
 * Editors, linters and templating tools of both versions pass over policy files, so what either takes for something else must be quoted.
 */
export type PlainMeaning = "text" | "nothing" | "a truth value" | "a number" | "a date" | "a merge key";

const TRUTH = /^(?:y|n|yes|no|true|false|on|off)$/i;
const NUMBER = new RegExp(
  [
    "[-+]?0b[01_]+", // 1.1 binary
    "[-+]?0o?[0-7_]+", // octal of both versions
    "[-+]?[0-9][0-9_]*", // decimal, also with leading zeros
    "[-+]?0x[0-9a-fA-F_]+", // hexadecimal
    "[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?", // 1.1 base 60, e.g. 22:22
    "[-+]?(?:\\.[0-9][0-9_]*|[0-9][0-9_]*(?:\\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", // floats
    "[-+]?\\.(?:inf|Inf|INF)",
    "\\.(?:nan|NaN|NAN)",
  ]
    .map((form) => `(?:^${form}$)`)
    .join("|"),
);
const DATE =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?[ \t]*(?:Z|[-+]\d{1,2}(?::?\d{2})?)?)?$/;

/** Says what else than text a plain scalar may be read as. */
export function plainMeaning(plain: string): PlainMeaning {
  if (/^(?:|~|null)$/i.test(plain)) return "nothing";
  if (TRUTH.test(plain)) return "a truth value";
  if (DATE.test(plain)) return "a date";
  if (NUMBER.test(plain)) return "a number";
  return plain === "<<" || plain === "=" ? "a merge key" : "text";
}
