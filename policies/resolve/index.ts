/** From documents to the set that is judged and compiled. */
export { type ResolveOptions, resolve } from "./resolve.ts";
