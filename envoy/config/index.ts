export { ACCESS_LOG } from "./access-log.ts";
export { OVERRIDE_HEADERS, WITHHELD_HEADERS } from "./header-floor.ts";
export type { Json, JsonObject } from "./json.ts";
export { type RenderInput, renderSidecar, type SidecarBootstrap } from "./render-sidecar.ts";
export { callersSecret } from "./tls.ts";
