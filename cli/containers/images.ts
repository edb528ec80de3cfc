import { formatEnvoyVersion, PINNED_VERSION } from "../../envoy/index.ts";

/** The image of the sidecars. */
export const ENVOY_IMAGE = `envoyproxy/envoy:v${formatEnvoyVersion(PINNED_VERSION)}`;
/** The image of authority, agent and the demo's apps. */
export const NODE_IMAGE = "node:24-bookworm-slim";
