export { containerSet } from "./attach-stage.ts";
export { attackContainers } from "./attack-containers.ts";
export { type DemoOptions, runDemo } from "./run-demo.ts";
export { chapters } from "./scenario.ts";
