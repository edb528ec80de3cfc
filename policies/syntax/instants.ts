import { printable } from "../printable.ts";
import { type Judged, type Located, parsed, type Reader } from "./readers.ts";

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?Z$/;
const OFFSET = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?[ ]?(?:[+-]\d{2}:?\d{2}|z)?$/;

function isCalendarDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function judgeInstant(given: string, endOfDay: boolean): Judged<Date> {
  const [, day = "", hour, minute, second] = INSTANT.exec(given) ?? [];
  if (isCalendarDate(given))
    return { ok: true, value: new Date(`${given}T${endOfDay ? "23:59:59.999" : "00:00:00"}Z`) };
  if (isCalendarDate(day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60)
    return { ok: true, value: new Date(given) };
  const other = OFFSET.test(given) ? new Date(given.replace(" ", "T")) : undefined;
  const utc =
    other !== undefined && !Number.isNaN(other.getTime()) && /[+-]\d{2}:?\d{2}$/.test(given)
      ? other.toISOString()
      : undefined;
  const hint =
    utc === undefined ? "write `2027-03-31` or `2027-03-31T18:00:00Z`" : `instants are UTC: write \`${utc}\``;
  return { ok: false, message: `\`${printable(given, 60)}\` is not a date or instant in UTC`, hint };
}

const instantSchema = { pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z)?$" };

/** An instant in UTC; a bare date means the start of that day. */
export const notBefore: Reader<Located<Date>> = parsed(
  { expects: "a date or instant", dates: true, schema: instantSchema },
  (given) => judgeInstant(given, false),
);

/** An instant in UTC; a bare date means the last millisecond of that day. */
export const notAfter: Reader<Located<Date>> = parsed(
  { expects: "a date or instant", dates: true, schema: instantSchema },
  (given) => judgeInstant(given, true),
);

/** A calendar date, `YYYY-MM-DD`. */
export const calendarDate: Reader<Located<string>> = parsed(
  { expects: "a date", dates: true, schema: { pattern: "^\\d{4}-\\d{2}-\\d{2}$" } },
  (given): Judged<string> =>
    isCalendarDate(given)
      ? { ok: true, value: given }
      : { ok: false, message: `\`${printable(given, 60)}\` is not a date`, hint: "write `2027-03-31`" },
);
