import { setFlagsFromString } from "node:v8";

/**
 * Has V8 optimize later, which a command wants that is over in a second or two: by itself V8 spends a fifth of such a run's processor time
 * on making code faster that is hardly run any more. What runs for longer is optimized all the same, a moment later.
 */
export function optimizeLater(): void {
  setFlagsFromString("--interrupt-budget=400000");
}
