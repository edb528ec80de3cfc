import { build, install, requireNode } from "./environment.mjs";

requireNode();
await install();
await build({ force: true });
