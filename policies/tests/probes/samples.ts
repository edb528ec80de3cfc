import type { Matcher, ParameterType, PathPattern, PatternSegment, RequestLine } from "../../model/index.ts";
import { encodePath } from "../../path/encode-path.ts";

/** A segment and a value that policies hardly name. */
export const STRANGE = "zz";

const SAMPLES: Readonly<Record<ParameterType, string>> = {
  any: STRANGE,
  int: "7",
  uuid: "5ad7750b-a68b-49c0-a8c0-32776b067703",
  hex: "0a",
  slug: "a-b",
  date: "2027-01-31",
};

const ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];

/** Requests that a line is about, the plainest first, and requests just beside them. */
export function requestsNear(line: RequestLine): readonly string[] {
  switch (line.kind) {
    case "tcp":
      return line.port === "*" ? ["tcp 1", "tcp 65535"] : [`tcp ${line.port}`, `tcp ${line.port === 1 ? 2 : 1}`];
    case "grpc": {
      const method = line.method === "*" ? "Zz" : line.method;
      return [
        `grpc ${line.service}/${method}`,
        `grpc ${line.service}/Zz`,
        "grpc zz.Zz/Zz",
        `POST /${line.service}/${method}`,
      ];
    }
    case "websocket":
      return [
        ...pathsNear(line.path).map((path) => `websocket ${path}`),
        ...pathsNear(line.path).map((path) => `GET ${path}`),
      ];
    case "http": {
      const methods = line.methods === "ANY" ? ALL_METHODS : line.methods;
      const [path = "/"] = pathsNear(line.path);
      return [
        ...pathsNear(line.path).map((one) => `${methods[0] ?? "GET"} ${one}`),
        ...[...methods, ...ALL_METHODS].map((method) => `${method} ${path}`),
        `websocket ${path}`,
      ];
    }
  }
}

/** The plainest path of a pattern, then one strange segment at each place, one segment more, one less, a slash at the end. */
function pathsNear({ segments }: PathPattern): readonly string[] {
  const plain = segments.map(sampleOf);
  const strange = plain.map((_, at) => plain.with(at, STRANGE));
  const longer = [...plain, STRANGE];
  return [plain, ...strange, longer, plain.slice(0, -1), [...plain, ""], [...(strange.at(-1) ?? []), STRANGE]]
    .filter((path) => path.length > 0)
    .map(encodePath);
}

function sampleOf(segment: PatternSegment): string {
  switch (segment.kind) {
    case "literal":
      return segment.value;
    case "parameter":
      return `${segment.prefix}${SAMPLES[segment.type]}${segment.suffix}`;
    case "rest":
      return STRANGE;
  }
}

/** Values about a matcher: one that passes (nothing for `absent`), then others, `undefined` being none. */
export function valuesNear(matcher: Matcher): readonly (string | undefined)[] {
  switch (matcher.kind) {
    case "equals":
    case "has":
      return [matcher.value, STRANGE, undefined];
    case "not":
      return [STRANGE, matcher.value, undefined];
    case "in":
    case "hasAny":
      return [...matcher.values, STRANGE, undefined];
    case "notIn":
      return [STRANGE, ...matcher.values, undefined];
    case "prefix":
      return [`${matcher.value}${STRANGE}`, matcher.value, STRANGE, undefined];
    case "suffix":
      return [`${STRANGE}${matcher.value}`, matcher.value, STRANGE, undefined];
    case "contains":
      return [matcher.value, STRANGE, undefined];
    case "present":
      return [STRANGE, undefined];
    case "absent":
      return [undefined, STRANGE];
  }
}
