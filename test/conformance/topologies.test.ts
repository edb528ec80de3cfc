import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseDocuments, reachFigures, resolve } from "../../policies/index.ts";

const FOLDER = join(import.meta.dirname, "../vectors/topologies");
const NOW = new Date("2026-06-01T12:00:00Z");

const topology = z.object({
  id: z.string(),
  nodes: z.array(z.string()),
  edges: z.array(z.object({ from: z.string(), to: z.string() })),
  expected: z.object({
    nodes: z.number(),
    direct_percent: z.number(),
    transitive_percent: z.number(),
    direct_pairs: z.number(),
    transitive_pairs: z.number(),
    possible_pairs: z.number(),
    reach: z.record(z.string(), z.number()),
  }),
});

function documents({ nodes, edges }: z.infer<typeof topology>): string {
  const meta = (name: string) => ({ name, namespace: "shop" });
  const head = { apiVersion: "cellwall.dev/v1" };
  const mesh = {
    ...head,
    kind: "Mesh",
    metadata: { name: "m" },
    spec: { trustDomain: "shop.example", defaultMode: "enforce" },
  };
  const workloads = nodes.map((name) => ({
    ...head,
    kind: "Workload",
    metadata: meta(name),
    spec: { mode: "enforce" },
  }));
  const policies = nodes.flatMap((to) => {
    const from = edges.filter((edge) => edge.to === to).map((edge) => ({ workload: edge.from }));
    const rule = { name: "in", from, requests: ["ANY /**"] };
    return from.length === 0
      ? []
      : [{ ...head, kind: "AccessPolicy", metadata: meta(to), spec: { protects: { workload: to }, allow: [rule] } }];
  });
  return [mesh, ...workloads, ...policies].map((one) => JSON.stringify(one)).join("\n---\n");
}

describe("reach of known topologies", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

  it("has topologies", () => expect(files.length).toBeGreaterThanOrEqual(2));

  it.each(files)("%s", (name) => {
    const one = topology.parse(JSON.parse(readFileSync(join(FOLDER, name), "utf8")));
    const parsed = parseDocuments([{ path: name, text: documents(one) }]);
    const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
    const figures = reachFigures(set, { now: NOW });
    const { expected } = one;
    expect([figures.workloads, figures.possiblePairs]).toEqual([expected.nodes, expected.possible_pairs]);
    expect([figures.directPairs, figures.transitivePairs]).toEqual([expected.direct_pairs, expected.transitive_pairs]);
    expect(figures.directPercent).toBe(expected.direct_percent);
    expect(figures.transitivePercent).toBe(expected.transitive_percent);
    const reach = [...figures.reach].map(([identity, count]) => [identity.slice(identity.lastIndexOf("/") + 1), count]);
    expect(Object.fromEntries(reach)).toEqual(expected.reach);
  });
});
