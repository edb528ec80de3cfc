import { cidrContains } from "../match/address.ts";
import type { Cidr } from "../model/index.ts";
import { addressText, boundaryAddresses } from "./addresses.ts";
import {
  type Cells,
  type Condition,
  cellsOfCandidates,
  Dimension,
  FALSE,
  TRUE,
  type Truth4,
  truthOf,
  UNKNOWN,
} from "./dimension.ts";

type Specs<Spec> = readonly (readonly [Condition, Spec])[];

/** Which methods, and whether the request asks for an upgrade. */
export interface ShapeSpec {
  readonly methods: ReadonlySet<string> | "any";
  readonly without?: string;
  readonly upgrade: "none" | "websocket" | "some" | "any";
}

interface Shape {
  readonly method: string;
  readonly upgrade: string | undefined;
}

const COMMON_METHODS = ["GET", "POST", "HEAD", "CONNECT"];
const OTHER_METHODS = ["OPTIONS", "DELETE", "PUT", "PATCH", "TRACE", "QUERY"];
const UPGRADES = [undefined, "websocket", "h2c"];

/** Method and upgrade of an HTTP request. */
export class ShapeDimension extends Dimension<ShapeSpec> {
  constructor() {
    super("shape");
  }

  protected divide(specs: Specs<ShapeSpec>): Cells {
    const named = new Set(specs.flatMap(([, { methods }]) => (methods === "any" ? [] : [...methods])));
    const methods = [...new Set([...COMMON_METHODS, ...named]), fresh(OTHER_METHODS, "X-OTHER", named)];
    const shapes = UPGRADES.flatMap((upgrade) => methods.map((method): Shape => ({ method, upgrade })));
    const cells = cellsOfCandidates(
      specs,
      shapes,
      (spec, shape) => truthOf(hasShape(spec, shape)),
      (shape) => ({
        kind: "shape",
        ...shape,
      }),
    );
    return { cells, exact: true };
  }
}

function hasShape({ methods, without, upgrade }: ShapeSpec, shape: Shape): boolean {
  if (shape.method === without || (methods !== "any" && !methods.has(shape.method))) return false;
  if (upgrade === "none") return shape.upgrade === undefined;
  if (upgrade === "websocket") return shape.upgrade === "websocket";
  return upgrade === "any" || shape.upgrade !== undefined;
}

/** The first that is not taken. */
function fresh(candidates: readonly string[], last: string, taken: ReadonlySet<string>): string {
  const free = candidates.find((candidate) => !taken.has(candidate));
  if (free !== undefined) return free;
  return taken.has(last) ? fresh([], `${last}X`, taken) : last;
}

const OTHER_PORTS = [8443, 443, 8080, 80];

/** Port of the listener. */
export class PortDimension extends Dimension<ReadonlySet<number>> {
  constructor() {
    super("port");
  }

  protected divide(specs: Specs<ReadonlySet<number>>): Cells {
    const named = new Set(specs.flatMap(([, ports]) => [...ports]));
    const others = [...OTHER_PORTS, ...Array.from({ length: 65_535 }, (_, at) => at + 1)];
    const other = others.find((port) => !named.has(port));
    const ports = [...named, ...(other === undefined ? [] : [other])];
    const cells = cellsOfCandidates(
      specs,
      ports,
      (spec, port) => truthOf(spec.has(port)),
      (port) => ({
        kind: "port",
        port,
      }),
    );
    return { cells, exact: true };
  }
}

/** Canonical hosts, or that the host is refused. */
export type HostSpec = { readonly kind: "hosts"; readonly hosts: ReadonlySet<string> } | { readonly kind: "refused" };

/** The host of a request; refused ones are looked at only where a condition asks for them. */
export class HostDimension extends Dimension<HostSpec> {
  constructor() {
    super("host");
  }

  protected divide(specs: Specs<HostSpec>): Cells {
    const named = new Set(specs.flatMap(([, spec]) => (spec.kind === "hosts" ? [...spec.hosts] : [])));
    const refused = specs.some(([, spec]) => spec.kind === "refused") ? [undefined] : [];
    const hosts = [fresh(["other.example"], "x.example", named), ...named, ...refused];
    const cells = cellsOfCandidates(specs, hosts, testHost, (host) => ({ kind: "host", host: host ?? "a,b" }));
    return { cells, exact: true };
  }
}

function testHost(spec: HostSpec, host: string | undefined): Truth4 {
  if (spec.kind === "refused") return truthOf(host === undefined);
  return host === undefined ? UNKNOWN : truthOf(spec.hosts.has(host));
}

/** From when to when, in milliseconds, both included. */
export interface TimeSpec {
  readonly from: number;
  readonly to: number;
}

const LAST_INSTANT = 8_640_000_000_000_000;

/** The time of a request, never before `earliest`. */
export class TimeDimension extends Dimension<TimeSpec> {
  readonly #now: number;
  readonly #earliest: number;

  constructor(now: number, earliest: number) {
    super("time");
    this.#now = now;
    this.#earliest = earliest;
  }

  protected divide(specs: Specs<TimeSpec>): Cells {
    const edges = specs.flatMap(([, { from, to }]) => [from - 1, from, to, to + 1]);
    const earliest = Number.isFinite(this.#earliest) ? [this.#earliest] : [];
    const instants = [this.#now, ...earliest, ...edges].filter(
      (at) => at >= this.#earliest && Math.abs(at) <= LAST_INSTANT,
    );
    const cells = cellsOfCandidates(
      specs,
      instants,
      ({ from, to }, at) => truthOf(from <= at && at <= to),
      (at) => ({
        kind: "time",
        at,
      }),
    );
    return { cells, exact: true };
  }
}

/** Address of the peer; that there is none only where `unknowns` says so. */
export class AddressDimension extends Dimension<readonly Cidr[]> {
  readonly #unknowns: boolean;

  constructor(unknowns: boolean) {
    super("address");
    this.#unknowns = unknowns;
  }

  protected divide(specs: Specs<readonly Cidr[]>): Cells {
    const known = boundaryAddresses(specs.flatMap(([, blocks]) => blocks));
    const addresses = this.#unknowns ? [...known, undefined] : known;
    const test = (blocks: readonly Cidr[], address: readonly number[] | undefined): Truth4 =>
      address === undefined ? UNKNOWN : truthOf(blocks.some((block) => cidrContains(block, address)));
    const cells = cellsOfCandidates(specs, addresses, test, (address) => ({
      kind: "address",
      address: address && addressText(address),
    }));
    return { cells, exact: true };
  }
}

/** Which queries: those that can be read, or those that cannot. */
export type QueryFormSpec = "readable" | "malformed";

/** Whether the query can be read in one way only. */
export class QueryFormDimension extends Dimension<QueryFormSpec> {
  constructor() {
    super("query-form");
  }

  protected divide(specs: Specs<QueryFormSpec>): Cells {
    const forms: readonly QueryFormSpec[] = ["readable", "malformed"];
    const cells = cellsOfCandidates(
      specs,
      forms,
      (spec, form) => (spec === form ? TRUE : FALSE),
      (form) => ({
        kind: "query-form",
        malformed: form === "malformed",
      }),
    );
    return { cells, exact: true };
  }
}
