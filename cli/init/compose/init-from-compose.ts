import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tryParseTrustDomain } from "../../../spiffe/index.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../../cli-error.ts";
import type { Io } from "../../io.ts";
import { count, lines, paint } from "../../screen.ts";
import { unifiedDiff } from "../../unified-diff.ts";
import { editCompose } from "./edit-compose.ts";
import { findCalls } from "./find-calls.ts";
import { type ComposePlan, labelOf, type PlanNote, planCompose } from "./plan.ts";
import { composePolicies } from "./policy-files.ts";
import { type ComposeProject, readComposeProject } from "./project.ts";
import type { EditOptions } from "./services-text.ts";

/** `cellwall init --from`. */
export interface FromComposeOptions {
  /** Folder for the policies. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly from: string;
  readonly write: boolean;
}

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Proposes sidecars for a user's compose file, as a diff; writes it where asked to. */
export function initFromCompose(options: FromComposeOptions, io: Io): ExitCode {
  const { folder, from, trustDomain } = options;
  const read = tryParseTrustDomain(trustDomain);
  if (!read.ok) throw new CliError("ERR_CLI_USAGE", `\`${trustDomain}\` is not a trust domain: ${read.message}`);
  const project = readComposeProject(from, readText(from, io.cwd));
  requireUntouched(project);
  const plan = planCompose(project);
  requireWorkloads(plan, io);
  const namespace = namespaceOf(project, io.cwd);
  const edit = { ...packageIn(dirname(resolve(io.cwd, from))), policies: policiesAt(folder, from, io.cwd), namespace };
  const edited = editCompose(plan, edit);
  const changes = [
    { path: from, before: project.text, after: edited.text },
    ...composePolicies(plan, { namespace, trustDomain }).map(({ name, text }) => ({
      path: join(folder, name),
      before: "",
      after: text,
    })),
  ];
  refuseOverwriting(changes.slice(1), io.cwd);
  for (const { path, before, after } of changes) lines(io.stdout, ...unifiedDiff(path, before, after, io.stdout));
  if (options.write) writeAll(changes, io.cwd);
  report(plan, options, options.write ? edited.lineAfter : asIs, io);
  return EXIT.ok;
}

const asIs = (line: number): number => line;

function requireUntouched({ file, services }: ComposeProject): void {
  if (services.every(({ name }) => name !== "cellwall")) return;
  throw new CliError("ERR_CLI_FILE", `\`${file}\` has a service \`cellwall\` already`, {
    hint: "edit the policies, or begin with the file as it was before",
  });
}

/** What stands against sidecars is told whole: each note is something to change in the file. */
function requireWorkloads({ project, workloads, notes }: ComposePlan, io: Io): void {
  if (workloads.length > 0) return;
  lines(io.stderr, ...section(io, "Look at", "yellow", notesText(notes, project.file)));
  const message =
    findCalls(project.services).length === 0
      ? `nothing in \`${project.file}\` says that one service calls another`
      : `of no call in \`${project.file}\` both ends can have a sidecar`;
  throw new CliError("ERR_CLI_FILE", message, {
    hint: "calls are found in `environment`, `command` and `entrypoint`: a URL, `host:port`, or a host in a variable such as `DB_HOST`",
  });
}

function readText(path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${path}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

/** As compose names the project: its `name`, else the folder's. */
function namespaceOf(project: ComposeProject, cwd: string): string {
  return labelOf(project.name ?? "") || labelOf(basename(dirname(resolve(cwd, project.file)))) || "default";
}

function policiesAt(folder: string, from: string, cwd: string): string {
  return dotted(relative(dirname(resolve(cwd, from)), resolve(cwd, folder)));
}

const dotted = (path: string): string => (path.startsWith(".") ? path : `./${path}`);

/** How this package, with what it depends on, is mounted: as the folder that holds both. */
function packageIn(composeFolder: string): Pick<EditOptions, "packageMount" | "mainModule"> {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, "package.json"))) root = dirname(root);
  const own = existsSync(join(root, "node_modules"));
  const mounted = own ? root : dirname(root);
  const inside = own ? "/opt/cellwall" : "/opt/node_modules";
  return {
    packageMount: `\${CELLWALL_PACKAGE:-${dotted(relative(composeFolder, mounted))}}:${inside}:ro`,
    mainModule: own ? `${inside}/dist/cli/main.js` : `${inside}/${basename(root)}/dist/cli/main.js`,
  };
}

function refuseOverwriting(changes: readonly Change[], cwd: string): void {
  const there = changes.filter(({ path }) => existsSync(resolve(cwd, path)));
  if (there.length === 0) return;
  const names = there.map(({ path }) => `\`${path}\``).join(", ");
  throw new CliError("ERR_CLI_FILE", `${names} ${there.length === 1 ? "is" : "are"} there already`, {
    hint: "nothing was written; name another folder, or remove what should be replaced",
  });
}

function writeAll(changes: readonly Change[], cwd: string): void {
  for (const { path, before, after } of changes) {
    try {
      mkdirSync(dirname(resolve(cwd, path)), { recursive: true });
      writeFileSync(resolve(cwd, path), after, before === "" ? { flag: "wx" } : {});
    } catch (error) {
      throw new CliError("ERR_CLI_FILE", `cannot write \`${path}\`: ${systemReason(error) ?? "not writable"}`, {
        cause: error,
      });
    }
  }
}

/** Places of the notes are those of the file as it is now on disk. */
function report(
  { workloads, notes }: ComposePlan,
  { folder, from, write }: FromComposeOptions,
  lineNow: (line: number) => number,
  io: Io,
): void {
  const placed = notes.map((note) => ({ ...note, line: lineNow(note.line) }));
  const of = (when: PlanNote["when"]): readonly string[] =>
    notesText(
      placed.filter((note) => note.when === when),
      from,
    );
  const calls = workloads.flatMap(({ name, calls }) => calls.map(({ callee }) => `${name} -> ${callee}`));
  lines(
    io.stderr,
    "",
    `${count(workloads.length, "workload")}, each with a sidecar; calls found: ${calls.join(", ")}`,
    ...section(io, "Look at", "yellow", of("now")),
    ...section(io, "Before you enforce", "bold", of("before-enforcing")),
    "",
    ...(write
      ? [
          `${paint(io.stderr, "green", "written")}; everything starts in monitor: nothing is denied for want of a rule. Next:`,
          `  cellwall check ${folder}`,
          `  docker compose -f ${from} up --detach`,
          `  docker compose -f ${from} logs --follow cellwall`,
        ]
      : [
          "nothing was written; `--write` writes it. Everything starts in monitor: nothing is denied for want of a rule",
        ]),
  );
}

function notesText(notes: readonly PlanNote[], file: string): readonly string[] {
  return [...new Set(notes.map(({ line, text }) => `${file}:${line}: ${text}`))];
}

function section(io: Io, title: string, style: "yellow" | "bold", entries: readonly string[]): readonly string[] {
  return entries.length === 0 ? [] : [paint(io.stderr, style, `${title}:`), ...entries.map((entry) => `  ${entry}`)];
}
