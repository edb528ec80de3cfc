// `npm start`: installs and builds what is missing, then runs the demo mesh. Arguments go to `cellwall demo`.
import { join } from "node:path";
import { build, install, requireNode, root, run } from "./environment.mjs";

requireNode();
await install();
await build();
// The demo handles Ctrl-C itself; this process only waits for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.exitCode = await run(process.execPath, [
  join(root, "dist", "cli", "main.js"),
  "demo",
  ...process.argv.slice(2),
]);
