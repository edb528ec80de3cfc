/** Optimal string alignment distance (insert, delete, replace, swap neighbours), cut off at `limit`. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let [before, last, row]: [number[], number[], number[]] = [[], [], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    [before, last, row] = [last, row, [i]];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(before, j - 2) + 1);
      row.push(cost);
    }
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/** The known name that a mistyped one most likely meant, or undefined where none is close. Names over 64 characters have none. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  if (typed.length > 64) return undefined;
  let best: { readonly name: string; readonly score: number } | undefined;
  const limit = Math.max(1, Math.floor(typed.length / 3));
  for (const name of known) {
    const score = distance(typed.toLowerCase(), name.toLowerCase(), limit);
    if (score <= limit && (best === undefined || score < best.score)) best = { name, score };
  }
  return best?.name;
}

/** "did you mean …?" where a close name is known, else the list of what may stand there, if that is short. */
export function suggestion(typed: string, known: readonly string[]): string | undefined {
  const close = nearest(typed, known);
  if (close !== undefined) return `did you mean \`${close}\`?`;
  if (known.length === 0 || known.length > 16) return undefined;
  return `known here: ${known.map((name) => `\`${name}\``).join(", ")}`;
}
