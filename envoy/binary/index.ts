export { type AdminAnswer, askAdmin } from "./admin.ts";
export { defaultCacheDir } from "./cache.ts";
export { envoyVersion } from "./envoy-version.ts";
export { type LocatedEnvoy, type LocateLog, type LocateOptions, locateEnvoy } from "./locate.ts";
export {
  type EnvoyExit,
  type EnvoyLogLevel,
  type RunningEnvoy,
  type RunOptions,
  runEnvoy,
  validateBootstrap,
} from "./run.ts";
export { checkSecurityFloor, type FloorVerdict, SECURITY_FLOOR } from "./security-floor.ts";
export { compareEnvoyVersions, type EnvoyVersion, formatEnvoyVersion, parseEnvoyVersion } from "./version.ts";
export { PINNED_VERSION } from "./wheel.ts";
