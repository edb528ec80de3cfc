import type { PathPattern } from "../../model/index.ts";

/** Whether Istio says a pattern as it is: parameters without type, prefix and suffix, and nothing after `**` but literals. */
export function isIstioPath({ segments }: PathPattern): boolean {
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  return segments.every((one, index) => {
    if (one.kind === "literal") return !/[*{}]/.test(one.value);
    if (one.kind === "rest") return true;
    return one.type === "any" && one.prefix === "" && one.suffix === "" && (rest === -1 || index < rest);
  });
}

/** A pattern's text as Istio's paths. A parameter is a segment, whatever its type: wider where it has one. */
export function istioPaths(text: string): readonly string[] {
  const parts = text.split("/").slice(1);
  const template = parts.map((part) => (part === "**" ? "{**}" : part.includes("{") ? "{*}" : part)).join("/");
  if (text === "/**") return ["/*"];
  if (!template.includes("{")) return [`/${template}`];
  // A `**` in last place is any text after the slash.
  return parts.indexOf("**") === parts.length - 1 && !template.includes("{*}")
    ? [`/${template.replace("{**}", "*")}`]
    : [`/${template}`];
}
