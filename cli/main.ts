#!/usr/bin/env node
import { processIo } from "./io.ts";
import { run } from "./run.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // The second time the user means it.
  process.on(signal, () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
}
// A reader that has seen enough (`cellwall check | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processIo(process, stop.signal));
