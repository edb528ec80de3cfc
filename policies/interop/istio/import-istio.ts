import { type DraftPolicy, type DraftRule, MESH_NAMESPACE } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { openByDefault } from "../draft/open-by-default.ts";
import { saySuspects } from "../draft/suspects.ts";
import { worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer, ImportOptions } from "../importer.ts";
import { reportOf } from "../report.ts";
import { sayInvalidTokens } from "./invalid-tokens.ts";
import { Issuers } from "./issuers.ts";
import type { IstioPolicy } from "./policy.ts";
import { type IstioDocuments, readIstioPolicies } from "./read-policies.ts";
import { type CompiledPolicy, compilePolicy, type Reading, sayCarved } from "./reading.ts";
import { placed, protectionOf, selects } from "./selection.ts";
import { sourceDenies } from "./source-verdict.ts";

/** Istio's AuthorizationPolicies, with the RequestAuthentications and Services that they build on. */
export const importIstio: Importer = (texts, options) => {
  const documents = readIstioPolicies(texts);
  const reading = readingOf(documents, options);
  const { notes, world } = reading;
  for (const { kind, place } of documents.others)
    notes.add(place, kind, "unsupported", `${READ} are read; the document is left out`);
  const compiled = reading.policies.map((policy) => compilePolicy(policy, reading));
  for (const one of compiled) sayCarved(one, compiled, reading);
  const open = openDrafts(documents, texts[0]?.path ?? "", reading);
  const drafts = [...compiled.flatMap((one) => draftOf(one, reading)), ...open];
  sayInvalidTokens(documents.authentications, drafts, reading);
  saySuspects(reading.suspects, drafts, world, (request) => sourceDenies(request, reading) !== false);
  return { documents: writeDocuments(drafts, world), report: reportOf(notes.entries) };
};

const READ = "AuthorizationPolicy, RequestAuthentication and Service";

function readingOf({ policies, authentications, services }: IstioDocuments, options: ImportOptions): Reading {
  const notes = new Notes();
  const audiences = options.audiences ?? testedAudiences(policies);
  const issuers = new Issuers(authentications, services, options, audiences, notes);
  const all = policies.flatMap((policy) => placed(policy, services));
  return {
    world: { ...worldOf(options), jwtProviders: issuers.providers },
    rootNamespace: options.rootNamespace ?? "istio-system",
    notes,
    names: new Names(),
    issuers,
    policies: all,
    allows: all.filter(({ action, dryRun }) => action === "ALLOW" && !dryRun),
    suspects: [],
  };
}

/** The audiences that policies ask for by name. */
function testedAudiences(policies: readonly IstioPolicy[]): readonly string[] {
  const tests = policies.flatMap(({ rules }) =>
    rules.flatMap(({ clauses }) => clauses.flatMap(({ tokens }) => tokens)),
  );
  const named = tests.filter(({ claim }) => claim?.join() === "aud").flatMap(({ values }) => values);
  return [...new Set(named.filter((value) => !value.includes("*")))];
}

/** Workloads that no policy closes; where a dry run would close one, a candidate withdraws what opens it. */
function openDrafts({ policies }: IstioDocuments, file: string, reading: Reading): readonly DraftPolicy[] {
  const { world, names, notes, allows, rootNamespace } = reading;
  const open = openByDefault(
    {
      construct: "no ALLOW policy selects the workload",
      place: policies[0]?.place ?? { file, line: 1, column: 1 },
      prefix: "istio",
      isClosed: (workload) => allows.some((policy) => selects(policy, workload, rootNamespace)),
    },
    world,
    names,
    notes,
  );
  const rehearsed = reading.policies.filter(({ action, dryRun }) => action === "ALLOW" && dryRun);
  const closing = open.filter(({ namespace, protects }) =>
    world.workloads.some(
      (workload) =>
        workload.namespace === namespace &&
        "workload" in protects &&
        protects.workload === workload.name &&
        rehearsed.some((policy) => selects(policy, workload, rootNamespace)),
    ),
  );
  return [...open, ...closing.map((draft): DraftPolicy => ({ ...draft, candidate: "withdraw" }))];
}

function draftOf({ policy, rules }: CompiledPolicy, reading: Reading): readonly DraftPolicy[] {
  if (rules.length === 0) return [];
  const taken = new Names();
  const named = (what: "rules" | "denies", prefix: string): readonly DraftRule[] =>
    rules.flatMap(({ clauses }, index) =>
      clauses
        .flatMap((clause) => clause[what])
        .map((rule) => ({ name: taken.take(`${prefix}-${index + 1}`), ...rule })),
    );
  const [main, denies] = [named("rules", "rule"), named("denies", "not")];
  const { namespace, protects } = protectionOf(policy, reading.rootNamespace);
  const name = namespace === MESH_NAMESPACE ? `${policy.namespace}-${policy.name}` : policy.name;
  return [
    {
      namespace,
      name: reading.names.take(name),
      protects,
      allow: policy.action === "ALLOW" ? main : [],
      deny: policy.action === "ALLOW" ? denies : main,
      ...(policy.dryRun ? { candidate: "replace" as const } : {}),
    },
  ];
}
