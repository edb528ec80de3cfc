import type { KnownWorkload, World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";

/** Ports of one entry of `toPorts`; `any` is all of them. */
export interface Ports {
  readonly ports: "any" | readonly number[];
  /** What is left out. */
  readonly left: readonly { readonly what: string; readonly scope?: "datagram" }[];
}

/** The most ports that a range is written out into. */
const MOST_PORTS = 512;

/** Reads `toPorts[].ports`; names are those of the workloads `at` which the ports are, one number at all of them. */
export function portsOf(entry: Fields, at: readonly KnownWorkload[], world: World): Ports {
  const ports: number[] = [];
  const left: { readonly what: string; readonly scope?: "datagram" }[] = [];
  let any = entry.maps("ports").length === 0;
  for (const one of entry.maps("ports")) {
    const protocol = (one.text("protocol") ?? "ANY").toUpperCase();
    if (protocol !== "ANY" && protocol !== "TCP") {
      left.push({ what: `${protocol} is not carried by a sidecar`, scope: "datagram" });
      continue;
    }
    const numbers = numbersOf(one, at, world);
    if (numbers === undefined) left.push({ what: `the port \`${String(one.get("port"))}\` is not known by number` });
    else if (numbers === "any") any = true;
    else ports.push(...numbers);
  }
  return { ports: any ? "any" : [...new Set(ports)], left };
}

function numbersOf(
  one: Fields,
  at: readonly KnownWorkload[],
  { workloads, portNames }: World,
): readonly number[] | "any" | undefined {
  const port = String(one.get("port") ?? "0");
  if (!/^[0-9]+$/.test(port)) {
    const named = portNames[port];
    if (workloads.length === 0) return named === undefined ? undefined : [named];
    const [only, ...others] = [...new Set(at.map(({ namedPorts }) => namedPorts?.[port]))];
    return others.length > 0 || only === undefined ? undefined : [only];
  }
  const [first, end] = [Number(port), one.get("endPort")];
  if (first === 0) return "any";
  const last = typeof end === "number" && end > first ? end : first;
  return last - first >= MOST_PORTS || last > 65535
    ? undefined
    : Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
