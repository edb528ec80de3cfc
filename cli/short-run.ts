import { setFlagsFromString } from "node:v8";

/** Prepares the process for a command that is over in a second or two; what runs for longer loses nothing, but starts like this. */
export function prepareShortRun(): void {
  optimizeLater();
  // The system is asked at each reading of the environment, which the YAML parser reads at each token; a copy is an object like any other.
  process.env = { ...process.env };
}

/**
 * Has V8 compile plainly at once and optimize later.
 * `--always-sparkplug`: code is compiled without optimizing when it runs first, in place of being interpreted for a while.
 * `--interrupt-budget`: by itself V8 spends a fifth of such a run's processor time on making code faster that is hardly run any more. Only
 * V8 11, that of Node.js 20, has this flag; a later one would print an error about it, and is left as it is.
 */
function optimizeLater(): void {
  setFlagsFromString("--always-sparkplug");
  if (process.versions.v8.startsWith("11.")) setFlagsFromString("--interrupt-budget=400000");
}
