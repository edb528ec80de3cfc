export { type DemoOptions, runDemo } from "./run-demo.ts";
export { chapters } from "./scenario.ts";
