/** Reading policy files with two threads. */
export { readAhead } from "./read-ahead.ts";
