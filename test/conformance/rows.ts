import { readFileSync } from "node:fs";

/** The rows of one table of `test/vectors`. */
export function rows<T>(file: string): T[] {
  return readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
