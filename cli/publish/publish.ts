import { formatDiagnostics } from "../../policies/index.ts";
import { type PublishResponse, publishResponse } from "../../protocol/index.ts";
import { ask, authorityAccess, Refused } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { PublishOptions } from "../commands/publish.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, json, lines, paint } from "../screen.ts";
import { readDiagnostics } from "./read-diagnostics.ts";

/** Sends the folders' files to the authority and prints what came of it; findings where the set is refused. */
export async function publish(folders: readonly string[], options: PublishOptions, io: Io): Promise<ExitCode> {
  const files = readPolicyFolders(folders, io.cwd);
  const body = { files, dryRun: options.dryRun === true };
  try {
    const access = authorityAccess(options, io);
    const answer = await ask(access, { method: "POST", path: "/v1/policies", body, answer: publishResponse });
    const failed = answer.diagnostics.some((each) => each.severity === "error");
    if (options.output === "json") json(io.stdout, answer);
    else printAnswer(answer, { files, dryRun: body.dryRun }, io);
    return failed ? EXIT.findings : EXIT.ok;
  } catch (error) {
    if (!(error instanceof Refused) || error.diagnostics === undefined) throw error;
    printRefusal(error, files, options, io);
    return EXIT.findings;
  }
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
  return [headline(answer, dryRun, io), ...sign("+", added), ...sign("-", removed), ...sign("~", changed)];
}

function headline(answer: PublishResponse, dryRun: boolean, io: Io): string {
  const revision = `${answer.epoch}.${answer.revision}`;
  const policies = count(answer.policies, "policy", "policies");
  if (dryRun) return `${paint(io.stdout, "yellow", "dry run")}: nothing changed; revision ${revision} stays in force`;
  if (!answer.published) return `unchanged: revision ${revision} is in force, with ${policies}`;
  return `${paint(io.stdout, "green", "published")} revision ${revision}, with ${policies}`;
}
