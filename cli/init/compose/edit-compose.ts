import { isMap, isScalar, type Pair, type YAMLMap } from "yaml";
import { CliError } from "../../cli-error.ts";
import { type ComposePlan, needsPortBeside, type PlannedWorkload } from "./plan.ts";
import type { ComposeProject } from "./project.ts";
import { addedServices, addedVolumes, type EditOptions, sidecarAnchor } from "./services-text.ts";

/** A piece of the file that is replaced; nothing else changes, so that comments and layout stay. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A compose file with sidecars. */
export interface EditedCompose {
  readonly text: string;
  /** The line at which one of the old file stands now. */
  readonly lineAfter: (line: number) => number;
}

/** The compose file with the sidecars of a plan. Throws `ERR_CLI_FILE` for one whose layout is not a block. */
export function editCompose(plan: ComposePlan, options: EditOptions): EditedCompose {
  const { project } = plan;
  const edits = [
    ...plan.workloads.flatMap((workload) => settingEdits(workload)),
    insertBefore(project, "services", sidecarAnchor()),
    appendTo(project, "services", addedServices(plan, options)),
    appendTo(project, "volumes", addedVolumes(plan)),
  ];
  return { text: apply(project.text, edits), lineAfter: (line) => line + linesAbove(line, project.text, edits) };
}

/** How many lines the edits put above a line of the old text. */
function linesAbove(line: number, text: string, edits: readonly Edit[]): number {
  const beginning = text
    .split("\n")
    .slice(0, line - 1)
    .reduce((sum, each) => sum + each.length + 1, 0);
  const above = edits.filter(({ start }) => start <= beginning);
  return above.reduce((sum, edit) => sum + edit.text.split("\n").length - 1, 0);
}

/** Names of peers become the loopback address of the own sidecar. */
function settingEdits({ calls }: PlannedWorkload): readonly Edit[] {
  return calls.flatMap(({ hints, localPort }) =>
    hints.flatMap((hint): readonly Edit[] => {
      const { range } = hint.setting;
      if (range === undefined || needsPortBeside(hint, localPort)) return [];
      const bare = hint.text === hint.setting.value;
      const text = bare && !hint.textHasPort ? "127.0.0.1" : `127.0.0.1:${localPort}`;
      return [{ start: range.start, end: range.end, text: `\u0000${hint.text}\u0000${text}` }];
    }),
  );
}

function apply(text: string, edits: readonly Edit[]): string {
  let result = text;
  const groups = new Map<string, Edit[]>();
  for (const edit of edits) {
    const key = `${edit.start} ${edit.end}`;
    groups.set(key, [...(groups.get(key) ?? []), edit]);
  }
  const ordered = [...groups.values()].sort((a, b) => (b[0]?.start ?? 0) - (a[0]?.start ?? 0));
  for (const group of ordered) {
    const { start = 0, end = 0 } = group[0] ?? {};
    const piece = group.reduce((before, edit) => replaced(before, edit.text), result.slice(start, end));
    result = result.slice(0, start) + piece + result.slice(end);
  }
  return result;
}

/** Replaces the host, with its port where it has one, wherever it stands by itself. */
function replaced(piece: string, text: string): string {
  const [, from, to] = text.split("\u0000");
  if (from === undefined || to === undefined) return piece + text;
  const name = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return piece.replaceAll(new RegExp(`(?<![A-Za-z0-9_.-])${name}(?![A-Za-z0-9_.:-])`, "g"), to);
}

function topLevel({ document }: ComposeProject): YAMLMap {
  const { contents } = document;
  if (!isMap(contents) || contents.flow === true)
    throw new CliError("ERR_CLI_FILE", "the file is not laid out as a block");
  return contents;
}

function pairOf(project: ComposeProject, key: string): Pair | undefined {
  return topLevel(project).items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** Before a top-level key and the comment lines right above it. */
function insertBefore(project: ComposeProject, key: string, text: string): Edit {
  const pair = pairOf(project, key);
  const at = isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
  const lines = project.text.slice(0, at).split("\n");
  let first = lines.length - 1;
  while (first > 0 && lines[first - 1]?.startsWith("#") === true) first -= 1;
  // A comment at the top is about the file.
  if (first === 0) first = lines.length - 1;
  const start = lines.slice(0, first).join("\n").length + (first > 0 ? 1 : 0);
  return { start, end: start, text };
}

/** At the end of a top-level map, whose last line may be followed by comments; a map that is not there comes last in the file. */
function appendTo(project: ComposeProject, key: string, lines: readonly string[]): Edit {
  const { text } = project;
  const pair = pairOf(project, key);
  const end = text.endsWith("\n") || text === "" ? "" : "\n";
  if (pair === undefined) {
    return { start: text.length, end: text.length, text: `${end}\n${key}:\n${indented(lines, 2)}` };
  }
  const { value } = pair;
  if (isMap(value) && value.flow !== true && value.items.length > 0) {
    const [first] = value.items;
    const indent = isScalar(first?.key) ? columnOf(text, first.key.range?.[0] ?? 0) : 2;
    const at = endOfContent(text, value.range?.[2] ?? text.length);
    return { start: at, end: at, text: `${at === text.length ? end : ""}${indented(lines, indent)}` };
  }
  if (isMap(value) || !isScalar(value) || value.value !== null)
    throw new CliError("ERR_CLI_FILE", `\`${key}\` in \`${project.file}\` is not laid out as a block`, {
      hint: "write one entry a line",
    });
  const start = isScalar(pair.key) ? (pair.key.range?.[1] ?? text.length) : text.length;
  const at = text.indexOf("\n", start) < 0 ? text.length : text.indexOf("\n", start) + 1;
  return { start: at, end: at, text: `${at === text.length ? end : ""}${indented(lines, 2)}` };
}

/** The end of the last line up to an offset that is neither blank nor a comment at the left margin. */
function endOfContent(text: string, offset: number): number {
  const newline = text.indexOf("\n", offset);
  let at = offset;
  if (text[offset - 1] !== "\n") at = newline < 0 ? text.length : newline + 1;
  while (at > 0) {
    const start = text.lastIndexOf("\n", at - 2) + 1;
    const line = text.slice(start, at);
    if (line.trim() !== "" && !line.startsWith("#")) return at;
    at = start;
  }
  return at;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

function indented(lines: readonly string[], indent: number): string {
  return lines.map((line) => (line === "" ? "\n" : `${" ".repeat(indent)}${line}\n`)).join("");
}
