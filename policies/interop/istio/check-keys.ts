import { printable } from "../../printable.ts";
import type { InteropError } from "../interop-error.ts";

/** Where in a document something stands. */
export type Path = readonly (string | number)[];

/** Refuses a document that Istio refuses. */
export type Refuse = (path: Path, message: string) => InteropError;

/** Throws for a key that is not one of those named. */
export function checkKeys(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: Path,
  refuse: Refuse,
): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refuse([...path, unknown], `unknown key \`${printable(unknown, 60)}\``);
}
