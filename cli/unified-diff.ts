import type { Output } from "./io.ts";
import { paint } from "./screen.ts";

/** A line of a difference: kept, taken out or put in. */
interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

const CONTEXT_LINES = 3;

/** The difference of two texts as a unified diff, as `diff -u` and `git apply` know it; nothing where they are equal. */
export function unifiedDiff(
  name: string,
  before: string,
  after: string,
  output: Pick<Output, "color">,
): readonly string[] {
  if (before === after) return [];
  const lines = difference(linesOf(before), linesOf(after));
  const heads = [`--- a/${name}`, `+++ b/${name}`].map((text) => paint(output, "bold", text));
  return [...heads, ...hunks(lines).flatMap((hunk) => hunkLines(lines, hunk, output))];
}

const END_WITHOUT_NEWLINE = "\\ No newline at end of file";

/** The lines; a last one that no newline ends is another than one with it. */
function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, `${last}\n${END_WITHOUT_NEWLINE}`];
}

/** The shortest script (Myers, 1986, "An O(ND) Difference Algorithm and Its Variations"). */
function difference(a: readonly string[], b: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  const rounds: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, start]]);
  for (let cost = 0; cost <= a.length + b.length; cost += 1) {
    rounds.push(furthest);
    furthest = new Map(furthest);
    for (let diagonal = -cost; diagonal <= cost; diagonal += 2) {
      let x = step(furthest, diagonal, cost);
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      furthest.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return trace(a, b, rounds, cost);
    }
  }
  return [];
}

function goesDown(furthest: ReadonlyMap<number, number>, diagonal: number, cost: number): boolean {
  if (diagonal === -cost) return true;
  return diagonal !== cost && (furthest.get(diagonal - 1) ?? -1) < (furthest.get(diagonal + 1) ?? -1);
}

function step(furthest: ReadonlyMap<number, number>, diagonal: number, cost: number): number {
  return goesDown(furthest, diagonal, cost) ? (furthest.get(diagonal + 1) ?? 0) : (furthest.get(diagonal - 1) ?? 0) + 1;
}

function trace(
  a: readonly string[],
  b: readonly string[],
  rounds: readonly ReadonlyMap<number, number>[],
  last: number,
): readonly Line[] {
  const lines: Line[] = [];
  let [x, y] = [a.length, b.length];
  for (let cost = last; cost > 0; cost -= 1) {
    const furthest = rounds[cost] ?? new Map<number, number>();
    const diagonal = x - y;
    const down = goesDown(furthest, diagonal, cost);
    const fromX = furthest.get(down ? diagonal + 1 : diagonal - 1) ?? 0;
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    for (; x > fromX + (down ? 0 : 1) && y > fromY + (down ? 1 : 0); x -= 1, y -= 1)
      lines.push({ mark: " ", text: a[x - 1] ?? "" });
    lines.push(down ? { mark: "+", text: b[fromY] ?? "" } : { mark: "-", text: a[fromX] ?? "" });
    [x, y] = [fromX, fromY];
  }
  for (; x > 0; x -= 1) lines.push({ mark: " ", text: a[x - 1] ?? "" });
  return lines.reverse();
}

/** Ranges of lines that hold changes and what stands around them. */
function hunks(lines: readonly Line[]): readonly { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = [];
  lines.forEach(({ mark }, index) => {
    if (mark === " ") return;
    const [from, to] = [Math.max(0, index - CONTEXT_LINES), Math.min(lines.length, index + CONTEXT_LINES + 1)];
    const last = found.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else found.push({ from, to });
  });
  return found;
}

const COLORS = { "-": "red", "+": "green" } as const;

function hunkLines(
  lines: readonly Line[],
  { from, to }: { readonly from: number; readonly to: number },
  output: Pick<Output, "color">,
): readonly string[] {
  const count = (part: readonly Line[], without: Line["mark"]): number =>
    part.filter(({ mark }) => mark !== without).length;
  const [earlier, part] = [lines.slice(0, from), lines.slice(from, to)];
  const range = (without: Line["mark"]): string => {
    const size = count(part, without);
    return `${count(earlier, without) + (size === 0 ? 0 : 1)},${size}`;
  };
  const body = part.map(({ mark, text }) =>
    mark === " " ? ` ${text}` : paint(output, COLORS[mark], `${mark}${text}`),
  );
  return [`@@ -${range("+")} +${range("-")} @@`, ...body];
}
