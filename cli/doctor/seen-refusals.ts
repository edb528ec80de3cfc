import { systemCode } from "../cli-error.ts";
import { logFiles } from "../decisions/log-files.ts";
import { readLines } from "../decisions/read-lines.ts";

/** Requests or connections that a sidecar was seen to refuse by itself. */
export interface SeenRefusals {
  readonly workload: string;
  readonly kind: "request" | "connection";
  /** Envoy's details, e.g. `path_normalization_failed`, or why the handshake failed. */
  readonly reason: string;
  readonly count: number;
  /** Instant of the last one, ISO 8601. */
  readonly last: string;
}

const KINDS: ReadonlyMap<unknown, SeenRefusals["kind"]> = new Map([
  ["request-refused", "request"],
  ["connection-refused", "connection"],
]);

/** Counts what the decision logs say was refused by sidecars themselves, the most frequent first; nothing where there is no log. */
export async function seenRefusals(
  options: { readonly log: readonly string[]; readonly state: string; readonly workloads: ReadonlySet<string> },
  cwd: string,
): Promise<readonly SeenRefusals[]> {
  const seen = new Map<string, SeenRefusals>();
  for (const file of filesOf(options, cwd)) {
    await readLines(file, {
      line: (line) => {
        const one = refusalOf(line);
        if (one === undefined || !options.workloads.has(one.workload)) return true;
        const key = [one.workload, one.kind, one.reason].join("\0");
        seen.set(key, { ...one, count: (seen.get(key)?.count ?? 0) + 1 });
        return true;
      },
    });
  }
  return [...seen.values()].sort((a, b) => b.count - a.count);
}

function filesOf(
  options: { readonly log: readonly string[]; readonly state: string },
  cwd: string,
): ReturnType<typeof logFiles> {
  try {
    return logFiles(options, cwd);
  } catch (error) {
    if (options.log.length > 0 || systemCode(error) !== "ERR_CLI_FILE") throw error;
    return [];
  }
}

function refusalOf(line: string): SeenRefusals | undefined {
  // Nearly all lines are decisions.
  if (!line.includes("-refused")) return undefined;
  try {
    const record: Record<string, unknown> = Object(JSON.parse(line));
    const kind = KINDS.get(record.kind);
    const { workload, reason, time } = record;
    if (kind === undefined || typeof workload !== "string" || typeof reason !== "string" || typeof time !== "string")
      return undefined;
    return { workload, kind, reason, count: 1, last: time };
  } catch {
    return undefined;
  }
}
