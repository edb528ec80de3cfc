import { isEverything } from "../match/pattern.ts";
import { grpcPattern } from "../match/request-line.ts";
import type { Cidr, PathOptions, PathPattern, RequestLine, Rule } from "../model/index.ts";
import type { Condition, TRUE, UNKNOWN } from "./dimension.ts";
import type { PathSpec } from "./path-dimension.ts";
import type { ShapeSpec } from "./simple-dimensions.ts";
import type { Universe } from "./universe.ts";
import type { ValueSpec } from "./value-dimensions.ts";

/** Conditions that must all hold; `status` is the most that can come of it. */
export interface Term {
  readonly conditions: readonly Condition[];
  readonly status: typeof TRUE | typeof UNKNOWN;
}

/** How paths are read, and which of the readings a rule is under. */
export interface Reading {
  readonly readings: readonly PathOptions[];
  readonly index: number;
  /** Whether refused paths and hosts matter: only where a workload is in monitor mode. */
  readonly refusals: boolean;
}

const ANY_METHOD = "any";
const POST: ReadonlySet<string> = new Set(["POST"]);
const OPENS_WEBSOCKET: ReadonlySet<string> = new Set(["GET", "CONNECT"]);
const GRPC_HEADER = "content-type";

/** One condition of each kind, made of what rules say. */
export class Conditions {
  readonly universe: Universe;
  readonly reading: Reading;

  constructor(universe: Universe, reading: Reading) {
    this.universe = universe;
    this.reading = reading;
  }

  shape(spec: ShapeSpec): Condition {
    const methods = spec.methods === ANY_METHOD ? ANY_METHOD : [...spec.methods].sort().join("|");
    return this.universe.shape.condition(`${methods} ${spec.without} ${spec.upgrade}`, spec);
  }

  pattern(effect: Rule["effect"], pattern: PathPattern): Condition {
    const { index } = this.reading;
    const segments = pattern.segments.map((segment) =>
      segment.kind === "literal"
        ? segment.value
        : segment.kind === "rest"
          ? 0
          : [segment.type, segment.prefix, segment.suffix],
    );
    return this.#path(JSON.stringify([effect, index, segments]), { kind: "pattern", effect, pattern, reading: index });
  }

  refused(truth: "true" | "unknown"): Condition {
    const { index } = this.reading;
    return this.#path(`refused ${truth} ${index}`, { kind: "refused", truth, reading: index });
  }

  readable(): Condition {
    const { index } = this.reading;
    return this.#path(`readable ${index}`, { kind: "readable", reading: index });
  }

  #path(text: string, spec: PathSpec): Condition {
    return this.universe.path(this.reading.readings).condition(text, spec);
  }

  header(name: string, spec: ValueSpec): Condition {
    return this.universe.header(name).condition(JSON.stringify(spec), spec);
  }

  grpc(want: "surely" | "not-maybe"): Condition {
    return this.header(GRPC_HEADER, { kind: "grpc", want });
  }

  ports(ports: readonly number[]): Condition {
    return this.universe.port.condition([...ports].sort().join(), new Set(ports));
  }

  addresses(blocks: readonly Cidr[]): Condition {
    const text = JSON.stringify(blocks.map(({ bytes, prefixLength }) => [bytes, prefixLength]));
    return this.universe.address.condition(text, blocks);
  }
}

/** What one line asks of a request, in parts of which no two hold together. */
export function requestTerms(
  effect: Rule["effect"],
  line: RequestLine | undefined,
  conditions: Conditions,
): readonly (readonly Condition[])[] {
  if (line === undefined) return [[]];
  return effect === "allow" ? allowTerms(line, conditions) : denyTerms(line, conditions);
}

function allowTerms(line: RequestLine, conditions: Conditions): readonly (readonly Condition[])[] {
  switch (line.kind) {
    case "http": {
      const path = conditions.pattern("allow", line.path);
      const methods = line.methods === "ANY" ? ANY_METHOD : new Set(line.methods);
      const posts = methods === ANY_METHOD || methods.has("POST");
      const onlyPost = methods !== ANY_METHOD && posts && methods.size === 1;
      const other = conditions.shape({ methods, without: "POST", upgrade: "none" });
      const post = conditions.shape({ methods: POST, upgrade: "none" });
      return [...(onlyPost ? [] : [[other, path]]), ...(posts ? [[post, path, conditions.grpc("not-maybe")]] : [])];
    }
    case "grpc": {
      const shape = conditions.shape({ methods: POST, upgrade: "none" });
      return [[shape, conditions.pattern("allow", grpcPattern(line)), conditions.grpc("surely")]];
    }
    case "websocket": {
      const shape = conditions.shape({ methods: OPENS_WEBSOCKET, upgrade: "websocket" });
      return [[shape, conditions.pattern("allow", line.path)]];
    }
    case "tcp":
      return [];
  }
}

function denyTerms(line: RequestLine, conditions: Conditions): readonly (readonly Condition[])[] {
  const path = (pattern: PathPattern): readonly Condition[] =>
    isEverything(pattern) && conditions.reading.readings.length === 1 ? [] : [conditions.pattern("deny", pattern)];
  switch (line.kind) {
    case "http":
      return [[...methodsOfDeny(line.methods, conditions), ...path(line.path)]];
    case "grpc":
      return [path(grpcPattern(line))];
    case "websocket":
      return [[conditions.shape({ methods: ANY_METHOD, upgrade: "some" }), ...path(line.path)]];
    case "tcp":
      return [];
  }
}

function methodsOfDeny(methods: readonly string[] | "ANY", conditions: Conditions): readonly Condition[] {
  if (methods === "ANY") return [];
  const reached = new Set(methods.includes("GET") ? [...methods, "HEAD"] : methods);
  return [conditions.shape({ methods: reached, upgrade: "any" })];
}

/** What is left of such a part on a path that is refused: its pattern is unknown, unless it is every path of a deny. */
export function refusedTerm(
  effect: Rule["effect"],
  line: RequestLine | undefined,
  term: readonly Condition[],
  conditions: Conditions,
): readonly Condition[] {
  const { universe, reading } = conditions;
  const paths = universe.path(reading.readings);
  const whole =
    effect === "deny" &&
    (line === undefined || (line.kind !== "grpc" && line.kind !== "tcp" && isEverything(line.path)));
  return [...term.filter(({ dimension }) => dimension !== paths), conditions.refused(whole ? "true" : "unknown")];
}

/** What one line asks of a connection; nothing where it is about none. */
export function connectionTerm(
  effect: Rule["effect"],
  line: RequestLine | undefined,
  conditions: Conditions,
): readonly Condition[] | undefined {
  if (line === undefined) return [];
  if (line.kind === "tcp") return line.port === "*" ? [] : [conditions.ports([line.port])];
  const isAll = effect === "deny" && line.kind === "http" && line.methods === "ANY" && isEverything(line.path);
  return isAll ? [] : undefined;
}
