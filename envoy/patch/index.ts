/** A user's own Envoy configuration made a sidecar. */
export { type Patched, patchConfig } from "./patch-config.ts";
