import { isRecord } from "../foreign-yaml.ts";
import { literalSegment } from "../translate/path-set.ts";
import { pathsOfRegex } from "../translate/regex-paths.ts";

/** What stands for one parameter inside a segment: texts, any of which may. */
export interface ParameterPatterns {
  /** Literal texts, or one `{name:type}`. */
  readonly texts: readonly string[];
  /** What the description allows and the texts do not. */
  readonly less?: string;
}

/** The most values that an enumeration is written out into. */
const MOST_VALUES = 24;

/** Patterns of a path parameter by its schema. */
export function parameterPatterns(name: string, schema: Readonly<Record<string, unknown>>): ParameterPatterns {
  const named = name.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^(?![A-Za-z_])/, "p");
  const listed = enumerated(schema);
  if (listed !== undefined) return { texts: listed };
  const { type, format, minimum, exclusiveMinimum } = schema;
  const types = Array.isArray(type) ? type : [type];
  if (types.includes("integer") && types.length === 1) {
    const positive =
      (typeof minimum === "number" && minimum >= 0) || (typeof exclusiveMinimum === "number" && exclusiveMinimum >= -1);
    const texts = [`{${named}:int}`];
    return positive ? { texts } : { texts, less: "negative numbers are denied: `minimum` does not rule them out" };
  }
  if (format === "uuid" || format === "guid") return { texts: [`{${named}:uuid}`] };
  if (format === "date") return { texts: [`{${named}:date}`] };
  const type_ = typeof schema.pattern === "string" ? typeOfPattern(schema.pattern) : undefined;
  return { texts: [`{${named}${type_ ?? ""}}`] };
}

function enumerated(schema: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const values = Array.isArray(schema.enum) ? schema.enum : "const" in schema ? [schema.const] : [];
  const texts = values.map((value: unknown) =>
    typeof value === "string" || typeof value === "number"
      ? literalSegment(encodeURIComponent(String(value)))
      : undefined,
  );
  const known = texts.filter((text) => text !== undefined && text !== "");
  return values.length > 0 && values.length <= MOST_VALUES && known.length === values.length
    ? known.filter((one) => one !== undefined)
    : undefined;
}

/** The type that is exactly what an anchored pattern says. */
function typeOfPattern(pattern: string): string | undefined {
  if (!pattern.startsWith("^") || !pattern.endsWith("$")) return undefined;
  const paths = pathsOfRegex(`/${pattern.slice(1, -1)}`, "whole");
  const [only] = paths?.patterns ?? [];
  if (paths === undefined || paths.patterns.length !== 1 || paths.shortage === "other") return undefined;
  return /^\/\{[A-Za-z0-9]+(:[a-z]+)\}$/.exec(only ?? "")?.[1];
}

/** The schema of a parameter: in version 2.0 the parameter is its own. */
export function schemaOf(parameter: Readonly<Record<string, unknown>>): unknown {
  if (isRecord(parameter.schema)) return parameter.schema;
  const [media] = isRecord(parameter.content) ? Object.values(parameter.content) : [];
  return isRecord(media) ? media.schema : parameter;
}
