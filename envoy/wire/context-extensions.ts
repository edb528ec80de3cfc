/** Keys of `context_extensions` that a generated sidecar sends with each HTTP `Check`. Part of the configuration, so no caller sets them. */
export const CONTEXT = {
  /** `mesh` or `edge`. */
  listener: "cellwall.listener",
  /** Port of the listener, decimal. */
  port: "cellwall.port",
  /** Lower-case names of the headers that are kept from `Check`, separated by commas. */
  withheld: "cellwall.withheld",
} as const;

/** What the sidecar says about the listener itself. */
export interface ListenerContext {
  /** Absent where the sidecar is one that Cellwall did not configure. */
  readonly kind: "mesh" | "edge" | undefined;
  readonly port: number | undefined;
  readonly withheld: ReadonlySet<string> | undefined;
}

/** Reads the listener's context; undefined where the kind or the port is there and not one that Cellwall writes. */
export function tryParseListenerContext(extensions: ReadonlyMap<string, string>): ListenerContext | undefined {
  const kind = extensions.get(CONTEXT.listener);
  if (kind !== undefined && kind !== "mesh" && kind !== "edge") return undefined;
  const portText = extensions.get(CONTEXT.port);
  const port = portText === undefined ? undefined : tryParsePort(portText);
  if (portText !== undefined && port === undefined) return undefined;
  return { kind, port, withheld: withheldHeaders(extensions.get(CONTEXT.withheld)) };
}

function tryParsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** The texts are constants of a sidecar's configuration, so a handful of them comes back with every request. */
const known = new Map<string, ReadonlySet<string>>();

function withheldHeaders(text: string | undefined): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  const before = known.get(text);
  if (before !== undefined) return before;
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  const set: ReadonlySet<string> = new Set(names.filter((name) => name !== ""));
  if (known.size < 1000) known.set(text, set);
  return set;
}
