import type { ParameterType, PatternSegment } from "../model/index.ts";
import { unreachable } from "./value.ts";

type Parameter = Extract<PatternSegment, { readonly kind: "parameter" }>;

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
const HEX = /^[0-9A-Fa-f]+$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const INT = /^[0-9]{1,19}$/;

/** Whether one decoded segment is a parameter with its literal prefix and suffix around it. */
export function parameterMatches(parameter: Parameter, segment: string): boolean {
  const { prefix, suffix } = parameter;
  // INVARIANT: something is left between prefix and suffix, so the two never overlap and no parameter is empty.
  if (segment.length <= prefix.length + suffix.length) return false;
  if (!segment.startsWith(prefix) || !segment.endsWith(suffix)) return false;
  return typeMatches(parameter.type, segment.slice(prefix.length, segment.length - suffix.length));
}

/** Whether a non-empty text is of a parameter type. Every type but `any` is ASCII. */
export function typeMatches(type: ParameterType, text: string): boolean {
  switch (type) {
    case "any":
      return text !== "";
    case "int":
      return INT.test(text);
    case "uuid":
      return UUID.test(text);
    case "hex":
      return HEX.test(text);
    case "slug":
      return SLUG.test(text);
    case "date":
      return isDate(text);
    default:
      return unreachable(type);
  }
}

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined) return false;
  const [m, d] = [Number(month), Number(day)];
  return m >= 1 && m <= 12 && d >= 1 && d <= daysIn(Number(year), m);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
