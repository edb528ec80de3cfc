import type { DraftPolicy } from "../draft/draft.ts";
import { Notes } from "../draft/notes.ts";
import { worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import { type ForeignDocument, isRecord, readForeignYaml } from "../foreign-yaml.ts";
import type { Importer, ImportOptions, ImportWorkload } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import { reportOf } from "../report.ts";
import { type Described, describedWorkload, interfacePolicy } from "../translate/interface.ts";
import { type ParameterPatterns, parameterPatterns, schemaOf } from "./parameter.ts";
import { sampleOf, templatePatterns } from "./path-template.ts";
import { dereference } from "./references.ts";
import { prefixesOf } from "./servers.ts";

type Content = Readonly<Record<string, unknown>>;
const METHODS = ["get", "head", "post", "put", "patch", "delete", "options", "trace", "query"];

/**
 * Interface descriptions (OpenAPI 3.x, Swagger 2.0) as suggested allow lines: one line a path and set of methods, one rule a
 * tag. Path parameters take their types from the schemas. What else a request must have is left to the application.
 */
export const importOpenapi: Importer = (texts, options) => {
  const notes = new Notes();
  const read = readForeignYaml(texts).map((document) => describe(document, options, notes));
  const workloads = new Map<string, ImportWorkload>();
  for (const { described } of read)
    for (const one of described.world.workloads) workloads.set(`${one.namespace}/${one.name}`, one);
  const world = worldOf({ ...options, workloads: [...workloads.values()] });
  return {
    documents: writeDocuments(
      read.map(({ policy }) => policy),
      world,
    ),
    report: reportOf(notes.entries),
  };
};

interface Description {
  readonly described: Described;
  readonly policy: DraftPolicy;
}

function describe(document: ForeignDocument, options: ImportOptions, notes: Notes): Description {
  const { value } = document;
  if (!isRecord(value) || (typeof value.openapi !== "string" && value.swagger === undefined)) {
    const { file, line, column } = document.at([]);
    throw new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${file}:${line}:${column}: this is no OpenAPI description`);
  }
  const title = isRecord(value.info) && typeof value.info.title === "string" ? value.info.title : "api";
  const described = describedWorkload(title, options);
  const reading = { document, root: value, described, notes, prefixes: prefixesOf(document, value, notes) };
  const groups = new Map<string, string[]>();
  for (const [template, item] of Object.entries(isRecord(value.paths) ? value.paths : {}))
    readPath(template, item, reading, groups);
  for (const key of ["webhooks"])
    if (value[key] !== undefined)
      notes.add(document.at([key]), key, "unsupported", "calls that the service makes itself are no requests to it");
  noteCallers(reading, options);
  return { described, policy: interfacePolicy(described, groups, "api") };
}

interface Reading {
  readonly document: ForeignDocument;
  readonly root: Content;
  readonly described: Described;
  readonly notes: Notes;
  readonly prefixes: readonly string[];
}

function noteCallers({ document, notes }: Reading, { callers = [] }: ImportOptions): void {
  if (callers.length > 0) return;
  notes.add(
    document.at([]),
    "callers",
    "narrower",
    "a description names no callers: registered identities only are let in",
    { scope: "anonymous" },
  );
}

function readPath(template: string, item: unknown, reading: Reading, groups: Map<string, string[]>): void {
  const { document, root, notes } = reading;
  if (template.startsWith("x-")) return;
  const place = document.at(["paths", template]);
  const content = dereference(root, item);
  if (content === undefined) {
    notes.add(place, template, "unsupported", "the reference leads out of this description");
    return;
  }
  const methods = METHODS.filter((method) => isRecord(content[method]));
  if (isRecord(content.additionalOperations))
    notes.add(place, `${template}: additionalOperations`, "unsupported", "methods of other names are left out");
  const shared = parametersOf(root, content.parameters);
  // Operations whose parameters are of the same types share a line.
  const lines = new Map<string, { readonly group: string; readonly pattern: string; readonly methods: string[] }>();
  for (const method of methods) {
    const operation = content[method];
    if (!isRecord(operation)) continue;
    for (const pattern of patternsFor(template, method, operation, shared, reading)) {
      const group = groupOf(operation);
      const key = JSON.stringify([group, pattern]);
      const line = lines.get(key) ?? { group, pattern, methods: [] };
      line.methods.push(method.toUpperCase());
      lines.set(key, line);
    }
  }
  for (const { group, pattern, methods: of } of lines.values())
    groups.set(group, [...(groups.get(group) ?? []), `${of.join("|")} ${pattern}`]);
}

function groupOf({ tags }: Content): string {
  const [first] = Array.isArray(tags) ? tags : [];
  return typeof first === "string" ? first : "operations";
}

function patternsFor(
  template: string,
  method: string,
  operation: Content,
  shared: readonly Content[],
  reading: Reading,
): readonly string[] {
  const { root, document, notes, prefixes, described } = reading;
  const construct = `${method.toUpperCase()} ${template}`;
  const place = document.at(["paths", template, method]);
  const parameters = [...parametersOf(root, operation.parameters), ...shared];
  const less: string[] = [];
  const read = prefixes.map((prefix) =>
    templatePatterns(`${prefix}${template}`, (name) => patternOf(name, parameters, root)),
  );
  const patterns: string[] = [];
  for (const one of read) {
    if (one === undefined) {
      notes.add(place, construct, "unsupported", "no pattern says this path");
      continue;
    }
    patterns.push(...one.patterns);
    less.push(...one.less);
    if (one.more !== undefined)
      notes.add(place, construct, "wider", "several parameters in one segment are one", {
        counterExample: { from: described.from, to: described.to, request: `${method.toUpperCase()} ${one.more}` },
      });
  }
  for (const reason of new Set(less)) notes.add(place, construct, "narrower", reason);
  if (patterns.length > 0)
    noteOperation(
      { operation, parameters, request: `${method.toUpperCase()} ${sampleOf(patterns[0] ?? "/")}`, construct, method },
      reading,
      template,
    );
  return patterns;
}

interface Operation {
  readonly operation: Content;
  readonly parameters: readonly Content[];
  readonly request: string;
  readonly construct: string;
  readonly method: string;
}

/** What else an operation asks for, which rules do not: a token, parameters that must be there, a body. */
function noteOperation(
  { operation, parameters, request, construct, method }: Operation,
  reading: Reading,
  template: string,
): void {
  const { root, document, notes, described } = reading;
  const place = document.at(["paths", template, method]);
  const counterExample = { from: described.from, to: described.to, request };
  const security = operation.security ?? root.security;
  const asked =
    Array.isArray(security) &&
    security.length > 0 &&
    security.every((one) => isRecord(one) && Object.keys(one).length > 0);
  if (asked)
    notes.add(place, `${construct}: security`, "wider", "tokens and keys are left to the application", {
      counterExample,
    });
  const required =
    parameters.some((one) => one.required === true && one.in !== "path") ||
    (isRecord(operation.requestBody) && operation.requestBody.required === true);
  if (required)
    notes.add(place, `${construct}: parameters`, "wider", "parameters beside the path are left to the application", {
      counterExample,
    });
  if (isRecord(operation.callbacks))
    notes.add(
      place,
      `${construct}: callbacks`,
      "unsupported",
      "calls that the service makes itself are no requests to it",
    );
  notes.add(place, construct, "exact", "the same methods and paths");
}

function parametersOf(root: Content, list: unknown): readonly Content[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.map((one) => dereference(root, one)).filter((one) => one !== undefined);
}

function patternOf(name: string, parameters: readonly Content[], root: Content): ParameterPatterns {
  const parameter = parameters.find((one) => one.in === "path" && one.name === name);
  const schema = parameter === undefined ? undefined : dereference(root, schemaOf(parameter));
  return parameterPatterns(name, schema ?? {});
}
