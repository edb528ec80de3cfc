import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Which top-level folders a folder may import: docs/architecture.md, "Folders and arrows". */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  spiffe: [],
  protocol: [],
  store: [],
  policies: ["spiffe"],
  flows: ["spiffe", "policies"],
  envoy: ["spiffe", "policies"],
  ca: ["spiffe", "policies", "store", "protocol"],
  authority: ["ca", "flows", "policies", "spiffe", "store", "protocol"],
  "ext-authz": ["spiffe", "policies", "flows", "envoy", "protocol"],
  compose: ["spiffe"],
  cli: ["spiffe", "policies", "protocol", "flows", "envoy", "store", "ca", "authority", "ext-authz", "compose"],
};

/** Faces that other folders may import, beside each folder's `index.ts`. */
const SUB_FACES: ReadonlySet<string> = new Set([
  "ext-authz/agent/index.ts",
  "policies/diagnostics/index.ts",
  "policies/findings/index.ts",
  "policies/guardrails/index.ts",
  "policies/interop/index.ts",
  "policies/lint/index.ts",
  "policies/printable.ts",
  "policies/resolve/index.ts",
  "policies/syntax/index.ts",
  "policies/teams/index.ts",
  "policies/tests/index.ts",
  "spiffe/bundle-endpoint/index.ts",
  "spiffe/workload-api/index.ts",
  "envoy/lint/index.ts",
  "envoy/patch/index.ts",
]);

/** Packages that must not reach an agent's process. */
const NOT_IN_AGENTS = ["kysely", "pg", "libsql", "express"];

/** Packages that must not be loaded before a rule is read, because they take longer to load than a small set to check. */
const NOT_IN_CHECK = ["zod", "jose", "express", "kysely", "libsql", "@grpc/grpc-js"];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  /** `import(…)`: loaded where it is run, if it is. */
  readonly dynamic: boolean;
}

function sourcesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "testing" ? [] : sourcesOf(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [relative(root, path)] : [];
  });
}

const STATEMENT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^"';]*?from\s+["']([^"']+)["']|(?:^|\n)\s*import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(STATEMENT)].map(([, type, from, bare, dynamic]) => ({
    from: file,
    to: from ?? bare ?? dynamic ?? "",
    typeOnly: type !== undefined,
    dynamic: dynamic !== undefined,
  }));
}

function localTarget(edge: Import): string | undefined {
  if (!edge.to.startsWith(".")) return undefined;
  return relative(root, resolve(root, dirname(edge.from), edge.to)).replace(/\.js$/, ".ts");
}

const topLevel = (file: string): string => file.split("/")[0] ?? "";
const sources = Object.keys(ARROWS).flatMap((folder) => sourcesOf(join(root, folder)));
const imports = sources.flatMap(importsOf);

describe("architecture", () => {
  it("finds the sources it judges", () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(sources.length);
  });

  it("lets a folder import only where an arrow points", () => {
    const forbidden = imports.flatMap((edge) => {
      const target = localTarget(edge);
      if (target === undefined) return [];
      const [from, to] = [topLevel(edge.from), topLevel(target)];
      return from === to || ARROWS[from]?.includes(to) ? [] : [`${edge.from} -> ${target}`];
    });
    expect(forbidden).toEqual([]);
  });

  it("lets a folder import another only through its face", () => {
    const around = imports.flatMap((edge) => {
      const target = localTarget(edge);
      if (target === undefined || topLevel(edge.from) === topLevel(target)) return [];
      return target === `${topLevel(target)}/index.ts` || SUB_FACES.has(target) ? [] : [`${edge.from} -> ${target}`];
    });
    expect(around).toEqual([]);
  });

  it("resolves every relative import to a file", () => {
    const missing = imports.flatMap((edge) => {
      const target = localTarget(edge);
      return target === undefined || existsSync(join(root, target)) ? [] : [`${edge.from} -> ${edge.to}`];
    });
    expect(missing).toEqual([]);
  });

  it("has no circle among files, not even of types", () => {
    expect(circle(wholeGraph())).toEqual([]);
  });

  it("keeps the store and the web server out of an agent's module graph", () => {
    const reached = reachableFrom("ext-authz/index.ts", runtimeGraph());
    expect(reached.size).toBeGreaterThan(10);
    expect(packagesIn(reached, NOT_IN_AGENTS)).toEqual([]);
  });

  it("loads neither schemas nor signatures nor servers for `cellwall check`", () => {
    const graph = runtimeGraph(({ dynamic }) => !dynamic);
    const reached = new Set(["cli/main.ts", "cli/check/check.ts"].flatMap((file) => [...reachableFrom(file, graph)]));
    expect(reached.size).toBeGreaterThan(100);
    expect(packagesIn(reached, NOT_IN_CHECK, ({ dynamic }) => !dynamic)).toEqual([]);
  });
});

/** Imports of some packages in some files. */
function packagesIn(
  files: ReadonlySet<string>,
  names: readonly string[],
  follows: (edge: Import) => boolean = () => true,
): readonly string[] {
  return imports
    .filter((edge) => files.has(edge.from) && !edge.typeOnly && !edge.to.startsWith(".") && follows(edge))
    .filter((edge) => names.some((name) => edge.to === name || edge.to.startsWith(`${name}/`)))
    .map((edge) => `${edge.from} -> ${edge.to}`);
}

function runtimeGraph(follows: (edge: Import) => boolean = () => true): Map<string, string[]> {
  return wholeGraph((edge) => !edge.typeOnly && follows(edge));
}

function wholeGraph(follows: (edge: Import) => boolean = () => true): Map<string, string[]> {
  const graph = new Map<string, string[]>(sources.map((file) => [file, []]));
  for (const edge of imports) {
    const target = localTarget(edge);
    if (target !== undefined && follows(edge)) graph.get(edge.from)?.push(target);
  }
  return graph;
}

function reachableFrom(start: string, graph: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    queue.push(...(graph.get(file) ?? []));
  }
  return seen;
}

function circle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    done.add(file);
    for (const next of graph.get(file) ?? []) {
      const found = visit(next, [...path, file]);
      if (found.length > 0) return found;
    }
    return [];
  };
  for (const file of graph.keys()) {
    const found = visit(file, []);
    if (found.length > 0) return found;
  }
  return [];
}
