import { isRecord } from "../foreign-yaml.ts";

/** How many references in a row are followed. */
const MOST_STEPS = 16;

/** What a value is, its local references (`#/components/…`) followed; `undefined` where one leads nowhere or elsewhere. */
export function dereference(root: unknown, value: unknown): Readonly<Record<string, unknown>> | undefined {
  let current = value;
  for (let step = 0; step < MOST_STEPS; step++) {
    if (!isRecord(current)) return undefined;
    const { $ref } = current;
    if (typeof $ref !== "string") return current;
    current = $ref.startsWith("#/") ? followed(root, $ref) : undefined;
  }
  return undefined;
}

function followed(root: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .map((part) => unescaped(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined), root);
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
