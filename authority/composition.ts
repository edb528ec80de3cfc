import { createHash } from "node:crypto";
import {
  type Diagnostic,
  type Document,
  type PolicySet,
  parseDocuments,
  printable,
  resolve,
} from "../policies/index.ts";
import type { PolicyFile } from "./policy-archive.ts";

/** The files of all sources put together, read. */
export interface Composition {
  /** Of every source, as they are archived. */
  readonly files: readonly PolicyFile[];
  readonly documents: readonly Document[];
  readonly set: PolicySet;
  /** Whether a document is of the source that was published. */
  isOfSource(document: Document): boolean;
}

/** The name that other sources' files are shown under. */
const PLATFORM = "platform";

/**
 * The files in force with those of one source replaced. The platform's own come first, then the sources by name, so that
 * a later document is merged over the platform's. Files of others are shown with their source's name before the path.
 */
export function compose(inForce: readonly PolicyFile[], source: string, own: readonly PolicyFile[]): Composition {
  const files = filesWith(inForce, source, own);
  const isOwn = (file: PolicyFile): boolean => (file.source ?? "") === source;
  const foreign = new Set(files.filter((file) => !isOwn(file)).map(shownForeign));
  const shownOwn = ({ path }: PolicyFile): string => apartFrom(foreign, printable(path, MAX_PATH));
  const mine = new Set(files.filter(isOwn).map(shownOwn));
  const shown = files.map((file) => ({ path: isOwn(file) ? shownOwn(file) : shownForeign(file), text: file.text }));
  const { documents, diagnostics } = parseDocuments(shown);
  const set = resolve(documents, { diagnostics });
  return { files, documents, set, isOfSource: ({ span }) => mine.has(span.file) };
}

/** The files in force with those of one source replaced, in the order in which they are read. */
export function filesWith(
  inForce: readonly PolicyFile[],
  source: string,
  own: readonly PolicyFile[],
): readonly PolicyFile[] {
  const others = inForce.filter((file) => (file.source ?? "") !== source);
  const tagged = own.map(({ path, text }) => ({ path, text, ...(source === "" ? {} : { source }) }));
  return bySource([...others, ...tagged]);
}

const MAX_PATH = 900;

function shownForeign({ source = PLATFORM, path }: PolicyFile): string {
  return `${source}:${printable(path, MAX_PATH)}`;
}

/**
 * SECURITY: whose a document is, is told by its file's path, which the publisher chooses; so it never equals another's as
 * shown. No source's name begins with `~`.
 */
function apartFrom(foreign: ReadonlySet<string>, path: string): string {
  return foreign.has(path) ? `~${path}` : path;
}

function bySource(files: readonly PolicyFile[]): readonly PolicyFile[] {
  const name = ({ source = "" }: PolicyFile): string => source;
  return files.toSorted((left, right) => (name(left) === name(right) ? 0 : name(left) < name(right) ? -1 : 1));
}

/** Names what is in force by its content: lower-case hex. */
export function digestOf(files: readonly PolicyFile[]): string {
  const parts = files.map(({ path, text, source = "" }) => [source, path, text]);
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** One finding more where the set is of another trust domain. */
export function foreignTrustDomain({ set, documents }: Composition, own: string): readonly Diagnostic[] {
  if (hasError(set.diagnostics) || set.mesh.trustDomain === own) return [];
  const anywhere = { file: "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };
  return [
    {
      severity: "error",
      code: "ERR_AUTHORITY_TRUST_DOMAIN",
      span: documents.findLast((each) => each.kind === "Mesh")?.span ?? anywhere,
      message: `the mesh's trust domain is \`${set.mesh.trustDomain}\`, this authority's is \`${own}\``,
      hint: "an authority keeps the trust domain it was made with: use another state folder for another mesh",
    },
  ];
}

/** Whether a finding forbids a publish. */
export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === "error");
}
