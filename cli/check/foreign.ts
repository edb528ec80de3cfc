import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseDocuments, printable } from "../../policies/index.ts";
import { type PublishedPolicies, parseMessage, publishedPolicies } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { isBundle } from "../bundle/read-bundle.ts";
import { sayUnsigned } from "../bundle/verify-bundle.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";

/** What `--against` needs. */
export interface ForeignOptions extends AuthorityOptions {
  /** `authority` (the one on the state folder), an address `https://…`, a JSON file of `GET /v1/policies`, or a folder. */
  readonly against: string;
  /** The source that the own folders stand for. */
  readonly source?: string;
}

/**
 * The files that others have published: those of `--source` are left out, and without it every document that the own
 * folders hold as well. Their paths begin with `against:`.
 */
export async function readForeign(
  options: ForeignOptions,
  own: readonly PolicyText[],
  io: Io,
): Promise<readonly PolicyText[]> {
  const published = await readPublished(options, io);
  const foreign = published.filter(({ source }) => options.source === undefined || source !== options.source);
  const files = foreign.map(({ path, text }) => ({ path: `against:${path}`, text }));
  return options.source === undefined ? withoutDocumentsOf(own, files) : files;
}

async function readPublished(options: ForeignOptions, io: Io): Promise<PublishedPolicies["files"]> {
  const { against } = options;
  if (against === "authority" || against.startsWith("https://")) {
    const access = authorityAccess(against === "authority" ? options : { ...options, authority: against }, io);
    return (await ask(access, { method: "GET", path: "/v1/policies", answer: publishedPolicies })).files;
  }
  if (isBundle(against, io.cwd))
    throw new CliError(
      "ERR_CLI_FILE",
      `\`${printable(against)}\` is a bundle, which holds no documents to judge folders with`,
      {
        hint: "ask the authority: `--against authority`, or keep what `GET /v1/policies` answers in a file",
      },
    );
  const path = resolve(io.cwd, against);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true || /\.ya?ml$/.test(against))
    return readPolicyFolders([against], io.cwd).map((file) => ({ ...file, source: "" }));
  const { files } = parseMessage(publishedPolicies, readJson(path, against), "list of published policies");
  sayUnsigned(against, io);
  return files;
}

function readJson(path: string, shown: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? "it is not JSON" : (systemReason(error) ?? "unreadable");
    throw new CliError("ERR_CLI_FILE", `cannot read \`${printable(shown)}\`: ${why}`, {
      hint: "name `authority`, an address `https://…`, a folder, or a file that `GET /v1/policies` answered",
      cause: error,
    });
  }
}

/**
 * Blanks the documents that the own files hold under the same kind and name: whoever edits them here replaces them there.
 * A Mesh is merged, so the published one stays below an own one.
 */
function withoutDocumentsOf(own: readonly PolicyText[], files: readonly PolicyText[]): readonly PolicyText[] {
  const keyOf = (document: { readonly kind: string; readonly namespace: string; readonly name: string }): string =>
    `${document.kind}/${document.namespace}/${document.name}`;
  const mine = new Set(parseDocuments(own).documents.map(keyOf));
  return files.map(({ path, text }) => ({
    path,
    text: text
      .split(/^(?=---(?:\s|$))/m)
      .map((part) => {
        const { documents } = parseDocuments([{ path, text: part }]);
        const replaced = documents.some((one) => one.kind !== "Mesh" && mine.has(keyOf(one)));
        return replaced ? part.replace(/[^\n]+/g, "") : part;
      })
      .join(""),
  }));
}
