import { formatDiagnostics, printable } from "../../policies/index.ts";
import { type PublishRequest, type PublishResponse, publishRequest, publishResponse } from "../../protocol/index.ts";
import { ask, authorityAccess, Refused } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, json, lines, paint } from "../screen.ts";
import { gitCommit } from "./git-commit.ts";
import { readDiagnostics } from "./read-diagnostics.ts";
import { registryLines } from "./registry-lines.ts";
import { printReview } from "./review.ts";

/** Options of `cellwall publish`. */
export interface PublishOptions extends AuthorityOptions, OutputOptions {
  readonly dryRun?: boolean;
  readonly source?: string;
  readonly commit?: string;
  readonly approve?: string;
}

/** Sends the folders' files to the authority and prints what came of it; findings where the set is refused. */
export async function publish(folders: readonly string[], options: PublishOptions, io: Io): Promise<ExitCode> {
  requireSource(options.source);
  const files = options.approve === undefined ? readPolicyFolders(folders, io.cwd) : [];
  const body = bodyOf(folders, files, options, io);
  try {
    const access = authorityAccess(options, io);
    const answer = await ask(access, { method: "POST", path: "/v1/policies", body, answer: publishResponse });
    const failed = answer.diagnostics.some((each) => each.severity === "error");
    if (options.output === "json") json(io.stdout, answer);
    else if (answer.review !== undefined) await printReview(answer.review, { id: options.approve ?? "", access }, io);
    else printAnswer(answer, { files, dryRun: options.dryRun === true }, io);
    return failed ? EXIT.findings : EXIT.ok;
  } catch (error) {
    if (!(error instanceof Refused) || error.diagnostics === undefined) throw error;
    printRefusal(error, files, options, io);
    return EXIT.findings;
  }
}

function requireSource(name: string | undefined): void {
  if (name === undefined || publishRequest.shape.source.safeParse(name).success) return;
  throw new CliError("ERR_CLI_USAGE", `\`${printable(name, 80)}\` cannot be the name of a source`, {
    hint: "a team's source has the team's name: up to 63 of a-z, 0-9 and -",
  });
}

function bodyOf(
  folders: readonly string[],
  files: readonly PolicyText[],
  { approve, dryRun, source, commit: named }: PublishOptions,
  io: Io,
): PublishRequest {
  if (approve !== undefined) return { approve, dryRun: dryRun === true };
  const [folder] = folders;
  const commit = named ?? (folder === undefined ? undefined : gitCommit(folder, io.cwd));
  return {
    files: [...files],
    dryRun: dryRun === true,
    ...(source === undefined ? {} : { source }),
    ...(commit === undefined ? {} : { commit }),
  };
}

function printRefusal(error: Refused, files: readonly PolicyText[], { output }: PublishOptions, io: Io): void {
  const diagnostics = readDiagnostics(error.diagnostics ?? []);
  if (output === "json") {
    json(io.stdout, { published: false, code: error.apiCode, diagnostics });
    return;
  }
  lines(io.stdout, formatDiagnostics(diagnostics, { files, color: io.stdout.color }).trimEnd(), "");
  lines(io.stdout, `${paint(io.stdout, "red", "refused")}: ${error.hint ?? error.message}`);
}

function printAnswer(
  answer: PublishResponse,
  { files, dryRun }: { readonly files: readonly PolicyText[]; readonly dryRun: boolean },
  io: Io,
): void {
  if (answer.diagnostics.length > 0) {
    const diagnostics = readDiagnostics(answer.diagnostics);
    lines(io.stdout, formatDiagnostics(diagnostics, { files, color: io.stdout.color }).trimEnd(), "");
  }
  lines(io.stdout, ...answerLines(answer, dryRun, io));
}

/** What a publish came to, and what it did to the workloads. */
export function answerLines(answer: PublishResponse, dryRun: boolean, io: Io): readonly string[] {
  const { added, removed, changed } = answer.workloads;
  const sign = (mark: string, names: readonly string[]): readonly string[] => names.map((name) => `  ${mark} ${name}`);
  const shown = dryRun || (!answer.published && answer.pending === undefined);
  const registry = shown && answer.registry !== undefined ? registryLines(answer.registry) : [];
  return [headline(answer, dryRun, io), ...sign("+", added), ...sign("-", removed), ...sign("~", changed), ...registry];
}

/** Whether the registry changed, which no bundle carries. */
function changesRegistry({ registry }: PublishResponse): boolean {
  return registry !== undefined && registryLines(registry).length > 0;
}

function headline(answer: PublishResponse, dryRun: boolean, io: Io): string {
  const revision = `${answer.epoch}.${answer.revision}`;
  const policies = count(answer.policies, "policy", "policies");
  const { pending } = answer;
  if (dryRun) {
    const wait = pending === undefined ? "" : `; it would wait for approval: ${printable(pending.why)}`;
    return `${paint(io.stdout, "yellow", "dry run")}: nothing changed; revision ${revision} stays in force${wait}`;
  }
  if (pending !== undefined) {
    const how = `somebody else runs \`cellwall publish --approve ${printable(pending.id)}\``;
    return `${paint(io.stdout, "yellow", "waits for approval")}: ${printable(pending.why)}; ${how}; revision ${revision} stays in force`;
  }
  if (!answer.published && changesRegistry(answer)) {
    return `${paint(io.stdout, "green", "published")} the registry; revision ${revision} stays in force, with ${policies}`;
  }
  if (!answer.published) return `unchanged: revision ${revision} is in force, with ${policies}`;
  return `${paint(io.stdout, "green", "published")} revision ${revision}, with ${policies}`;
}
