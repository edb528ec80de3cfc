const UNITS = [
  ["y", 31_536_000],
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** How far an instant is away, in one unit: `in 3 d`, `5 min ago`, `now`. */
export function span(at: string, now: string): string {
  const seconds = Math.round((Date.parse(at) - Date.parse(now)) / 1000);
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= 2 * least) ?? ["s", 1];
  if (seconds === 0) return "now";
  const text = `${Math.round(Math.abs(seconds) / size)} ${unit}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}
