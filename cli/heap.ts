import { setFlagsFromString } from "node:v8";

/**
 * Keeps the young generation of the heap at its first size, which a process that is to be small beside others wants: left alone, V8 lets
 * it grow to many times that while modules load and sockets warm up, and hardly ever gives it back. Decisions take no longer by it.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
