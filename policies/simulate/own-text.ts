/**
 * The same text in memory of its own: one that was cut out of a line keeps the line, and the piece of the file that the
 * line was cut out of, for as long as it is kept.
 */
export function own(text: string): string {
  return ` ${text}`.slice(1);
}
