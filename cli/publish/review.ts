import { diff, diffText, printable } from "../../policies/index.ts";
import { type PublishReview, publishedPolicies } from "../../protocol/index.ts";
import { type AuthorityAccess, ask } from "../admin-client.ts";
import { readSet } from "../check/read-set.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";

/** Prints what a publish that waits would change, for whom it asks to approve it. */
export async function printReview(
  review: PublishReview,
  { id, access }: { readonly id: string; readonly access: AuthorityAccess },
  io: Io,
): Promise<void> {
  const before = await ask(access, { method: "GET", path: "/v1/policies", answer: publishedPolicies });
  const report = diff(readSet(before.files), readSet(review.files), { now: io.clock() });
  lines(io.stdout, headline(review), `waits because: ${printable(review.why)}`, "", ...fileLines(before.files, review));
  lines(io.stdout, "", diffText(report).trimEnd(), "");
  const how = `\`cellwall publish --approve ${printable(id)}\` puts it in force`;
  lines(io.stdout, `${paint(io.stdout, "yellow", "dry run")}: nothing changed; ${how}`);
}

function headline({ publisher, at, source, commit }: PublishReview): string {
  const whose = source === "" ? "the platform's policies" : `policies of ${printable(source)}`;
  const from = commit === undefined ? "" : `, commit ${printable(commit)}`;
  return `${whose}, published by ${printable(publisher)} at ${at}${from}`;
}

type File = PublishReview["files"][number];

/** The source's files that are added, removed and changed. */
function fileLines(before: readonly File[], { files, source }: PublishReview): readonly string[] {
  const textsOf = (all: readonly File[]): ReadonlyMap<string, string> =>
    new Map(all.filter((file) => file.source === source).map(({ path, text }) => [path, text]));
  const [old, next] = [textsOf(before), textsOf(files)];
  const marks = [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((path) => {
    if (old.get(path) === next.get(path)) return [];
    const mark = old.has(path) ? (next.has(path) ? "~" : "-") : "+";
    return [`  ${mark} ${printable(path)}`];
  });
  return ["files:", ...marks];
}
