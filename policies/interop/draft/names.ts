const MAX = 63;

/** A DNS label made of any text; a text that is one already stays as it is. */
export function labelOf(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return plain.slice(0, MAX).replace(/-+$/, "") || "x";
}

/** Hands out DNS labels, each once: the second `a` becomes `a-2`. */
export class Names {
  readonly #taken = new Set<string>();

  take(text: string): string {
    const base = labelOf(text);
    for (let count = 1; ; count += 1) {
      const suffix = count === 1 ? "" : `-${count}`;
      const name = `${base.slice(0, MAX - suffix.length).replace(/-+$/, "")}${suffix}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}
