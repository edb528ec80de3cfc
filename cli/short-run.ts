import { setFlagsFromString } from "node:v8";

/**
 * Has V8 compile plainly at once and optimize later, which a command wants that is over in a second or two. What runs for longer is
 * optimized all the same, a moment later.
 * `--always-sparkplug`: code is compiled without optimizing when it runs first, in place of being interpreted for a while.
 * `--interrupt-budget`: by itself V8 spends a fifth of such a run's processor time on making code faster that is hardly run any more. Only
 * V8 11, that of Node.js 20, has this flag; a later one would print an error about it, and is left as it is.
 */
export function optimizeLater(v8Version: string = process.versions.v8): void {
  setFlagsFromString("--always-sparkplug");
  if (v8Version.startsWith("11.")) setFlagsFromString("--interrupt-budget=400000");
}
