import {
  checkSecurityFloor,
  type EnvoyVersion,
  formatEnvoyVersion,
  type LocatedEnvoy,
  locateEnvoy,
} from "../../envoy/index.ts";
import type { Io } from "../io.ts";
import type { Verdict } from "./verdict.ts";

/** The Envoy that was found, and what is to be said of it. */
export interface EnvoyLook {
  readonly version: EnvoyVersion | undefined;
  readonly verdicts: readonly Verdict[];
}

/** Which Envoy would be run, and whether its release has published holes. Fetches nothing. */
export async function lookAtEnvoy(explicit: string | undefined, io: Io): Promise<EnvoyLook> {
  const warnings: string[] = [];
  const log = { info() {}, warn: (message: string) => void warnings.push(message) };
  try {
    const found = await locateEnvoy({
      env: io.env,
      log,
      download: false,
      ...(explicit === undefined ? {} : { explicit }),
    });
    return { version: found.version, verdicts: verdictsOf(found, warnings) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = "`cellwall envoy locate` fetches one, and says how else to get one";
    return { version: undefined, verdicts: [{ id: "envoy", state: "warning", subject: "host", message, remedy }] };
  }
}

function verdictsOf({ path, version }: LocatedEnvoy, warnings: readonly string[]): readonly Verdict[] {
  const floor = checkSecurityFloor(version);
  const shown = `Envoy ${formatEnvoyVersion(version)}, \`${path}\``;
  if (!floor.ok) {
    const remedy = "use a release that closes them: `cellwall envoy locate` fetches one";
    return [{ id: "envoy", state: "error", subject: "host", message: `${shown}: ${floor.reason}`, remedy }];
  }
  return [
    { id: "envoy", state: "ok", subject: "host", message: `${shown}: no published hole is known` },
    ...warnings.map((message): Verdict => ({ id: "envoy", state: "note", subject: "host", message })),
  ];
}
