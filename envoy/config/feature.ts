import { compareEnvoyVersions, type EnvoyVersion, formatEnvoyVersion } from "../binary/index.ts";
import { EnvoyError } from "../envoy-error.ts";

/** The oldest line that configurations are rendered for. Envoy refuses a static configuration with a field that it does not know. */
const OLDEST: EnvoyVersion = { major: 1, minor: 36, patch: 0 };

/** Since which version Envoy knows a part of the configuration. */
const SINCE = {
  /** `allow_paths` of the admin interface. */
  adminAllowPaths: { major: 1, minor: 37, patch: 0 },
  /** `enforce_response_header_limits` of the HTTP authorization filter. */
  responseHeaderLimits: { major: 1, minor: 37, patch: 0 },
  /** `upstream_connect_mode` of the TCP proxy. */
  deferredConnect: { major: 1, minor: 37, patch: 0 },
} as const satisfies Record<string, EnvoyVersion>;

/** A part of the configuration that not every supported version knows. */
export type Feature = keyof typeof SINCE;

/** Whether this version knows that part of the configuration. */
export function supports(version: EnvoyVersion, feature: Feature): boolean {
  return compareEnvoyVersions(version, SINCE[feature]) >= 0;
}

/** Throws `ERR_ENVOY_TOO_OLD` for a version older than 1.36. */
export function requireSupported(version: EnvoyVersion): void {
  if (compareEnvoyVersions(version, OLDEST) >= 0) return;
  throw new EnvoyError(
    "ERR_ENVOY_TOO_OLD",
    `no configuration can be rendered for Envoy ${formatEnvoyVersion(version)}`,
    {
      hint: `use Envoy ${formatEnvoyVersion(OLDEST)} or newer`,
    },
  );
}
