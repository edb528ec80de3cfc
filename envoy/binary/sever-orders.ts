import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 250;

/**
 * Calls back whenever the text of a file is another one. What stands in it now, and a file that goes, is no order.
 * Returns what ends it.
 */
export function followOrders(file: string, ordered: () => void): () => void {
  let last = textOf(file);
  const timer = setInterval(() => {
    const text = textOf(file);
    if (text === "" || text === last) return;
    last = text;
    ordered();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
