import type { Json, JsonObject } from "../config/json.ts";
import type { Edit } from "../lint/edit.ts";

/** Joins edits of one round: two of the same are one, and what several give to one key of a mapping becomes one value. */
export function mergeEdits(edits: readonly Edit[]): readonly Edit[] {
  const merged = new Map<string, Edit>();
  for (const edit of edits) {
    const key = placeOf(edit);
    const before = merged.get(key);
    if (before?.kind === "set" && edit.kind === "set")
      merged.set(key, { ...edit, value: joined(before.value, edit.value) });
    else if (before === undefined) merged.set(key, edit);
  }
  return [...merged.values()];
}

/** What makes two edits the same: of insertions the values too, since several may go to one place. */
function placeOf(edit: Edit): string {
  switch (edit.kind) {
    case "set":
      return `set ${edit.map.start} ${edit.key}`;
    case "insert":
      return `insert ${edit.seq.start} ${edit.index} ${JSON.stringify(edit.values)}`;
    case "exchange":
      return `exchange ${edit.map.start} ${edit.old}`;
  }
}

function joined(a: Json, b: Json): Json {
  if (isList(a) && isList(b)) {
    const known = new Set(a.map((one) => JSON.stringify(one)));
    return [...a, ...b.filter((one) => !known.has(JSON.stringify(one)))];
  }
  if (!isObject(a) || !isObject(b)) return b;
  const fields = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const before = fields.get(key);
    fields.set(key, before === undefined ? value : joined(before, value));
  }
  return Object.fromEntries(fields);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && !isList(value);
}
