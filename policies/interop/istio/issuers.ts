import { printable } from "../../printable.ts";
import type { DraftProvider } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import type { Notes } from "../draft/notes.ts";
import type { KnownWorkload } from "../draft/world.ts";
import type { ImportOptions } from "../importer.ts";
import type { IstioPolicy } from "./policy.ts";
import type { JwtRule, RequestAuthentication } from "./request-authentication.ts";
import { labelsOfTarget, type Services, whyNotTold } from "./targets.ts";

/** Workloads that something is attached to: those of a namespace, or of the mesh, that carry labels. */
export interface Attachment {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** The issuers whose tokens are verified at everything that a policy selects, and those only at some of it. */
export interface IssuersOfPolicy {
  readonly all: readonly DraftProvider[];
  readonly some: readonly DraftProvider[];
}

interface Verified {
  readonly provider: DraftProvider;
  readonly at: Attachment;
}

/** Which issuers' tokens count where. Without any RequestAuthentication those that the options name count everywhere. */
export class Issuers {
  readonly #verified: readonly Verified[];
  readonly #rootNamespace: string;
  readonly #everywhere: readonly DraftProvider[];

  constructor(
    authentications: readonly RequestAuthentication[],
    services: Services,
    options: ImportOptions,
    audiences: readonly string[],
    notes: Notes,
  ) {
    const named = new Names();
    const known = [...(options.jwtProviders ?? [])];
    for (const { name } of known) named.take(name);
    this.#rootNamespace = options.rootNamespace ?? "istio-system";
    this.#everywhere = authentications.length === 0 ? known : [];
    const reading = { known, named, exists: options.registry === "exists", audiences, notes };
    this.#verified = authentications.flatMap((one) => verifiedBy(one, services, reading));
  }

  /** Every issuer that the Mesh is to name. */
  get providers(): readonly DraftProvider[] {
    const found = [...this.#everywhere, ...this.#verified.map(({ provider }) => provider)];
    return [...new Map(found.map((one) => [one.name, one])).values()];
  }

  of(policy: IstioPolicy, selected: readonly KnownWorkload[]): IssuersOfPolicy {
    const sorted = this.providers.map((provider) => [provider, this.#reach(provider, policy, selected)] as const);
    const pick = (reach: "all" | "some"): readonly DraftProvider[] =>
      sorted.flatMap(([provider, own]) => (own === reach ? [provider] : []));
    return { all: pick("all"), some: pick("some") };
  }

  #reach(provider: DraftProvider, policy: IstioPolicy, selected: readonly KnownWorkload[]): "all" | "some" | "none" {
    if (this.#everywhere.includes(provider)) return "all";
    const places = this.#verified.filter((one) => one.provider.name === provider.name).map(({ at }) => at);
    if (places.some((at) => this.#covers(at, policy))) return "all";
    const hits = selected.filter((workload) =>
      places.some((at) => this.#isIn(at, workload.namespace) && carries(workload.labels, at.labels)),
    );
    if (selected.length > 0) return hits.length === selected.length ? "all" : hits.length > 0 ? "some" : "none";
    return places.some((at) => this.#isIn(at, policy.namespace) || policy.namespace === this.#rootNamespace)
      ? "some"
      : "none";
  }

  #covers({ namespace, labels }: Attachment, policy: IstioPolicy): boolean {
    return (
      (namespace === this.#rootNamespace || namespace === policy.namespace) && carries(policy.labels ?? {}, labels)
    );
  }

  #isIn({ namespace }: Attachment, other: string): boolean {
    return namespace === this.#rootNamespace || namespace === other;
  }
}

const carries = (labels: Readonly<Record<string, string>>, asked: Attachment["labels"]): boolean =>
  Object.entries(asked ?? {}).every(([key, value]) => labels[key] === value);

interface Reading {
  readonly known: DraftProvider[];
  readonly named: Names;
  readonly exists: boolean;
  /** Audiences for tokens of rules that name none. */
  readonly audiences: readonly string[];
  readonly notes: Notes;
}

function verifiedBy(source: RequestAuthentication, services: Services, reading: Reading): readonly Verified[] {
  const { namespace, name, place, targets, labels, rules } = source;
  const construct = `RequestAuthentication ${namespace}/${name}`;
  const places = (targets ?? [undefined]).flatMap((target): readonly Attachment[] => {
    if (target === undefined) return [{ namespace, labels }];
    const told = labelsOfTarget(target, namespace, services);
    if (told === undefined) reading.notes.add(place, construct, "unsupported", whyNotTold(target, namespace));
    return told === undefined ? [] : [{ namespace, labels: told }];
  });
  if (rules.length === 0) reading.notes.add(place, construct, "exact", "without rules it verifies no token");
  return rules.flatMap((rule) => {
    const provider = providerOf(rule, construct, reading);
    return provider === undefined ? [] : places.map((at) => ({ provider, at }));
  });
}

function providerOf(rule: JwtRule, construct: string, reading: Reading): DraftProvider | undefined {
  const { notes, known } = reading;
  const here = `${construct}: issuer \`${printable(rule.issuer, 80)}\``;
  const audiences = rule.audiences.length > 0 ? rule.audiences : reading.audiences;
  const found = known.find(({ issuer }) => issuer === rule.issuer);
  const problem = problemOf(rule, audiences, found, reading);
  if (problem !== undefined) {
    notes.add(rule.place, here, "unsupported", `${problem}; its tokens count for nothing`);
    return undefined;
  }
  const provider = found ?? newProvider(rule, audiences, reading);
  if (provider === undefined) return undefined;
  notes.add(rule.place, here, "exact", `it is the Mesh's token provider \`${provider.name}\``);
  if (rule.audiences.length === 0 && found === undefined)
    notes.add(
      rule.place,
      here,
      "narrower",
      `the source takes tokens for any audience, here they are for ${listed(audiences)}`,
      { scope: "other-audience" },
    );
  return provider;
}

function newProvider(rule: JwtRule, audiences: readonly string[], reading: Reading): DraftProvider | undefined {
  if (rule.jwks === undefined) return undefined;
  const text = rule.issuer.replace(/^https?:\/\//, "").slice(0, 40);
  const provider = { name: reading.named.take(text), issuer: rule.issuer, audiences, jwks: rule.jwks };
  reading.known.push(provider);
  return provider;
}

/** Why an issuer's tokens cannot count here. */
function problemOf(
  { jwks, otherPlaces, audiences: named }: JwtRule,
  audiences: readonly string[],
  found: DraftProvider | undefined,
  { exists }: Reading,
): string | undefined {
  if (otherPlaces) return "a token is read of the header `authorization` alone, not of the places that the rule names";
  if (found !== undefined)
    return named.length === 0 || sameTexts(named, found.audiences)
      ? undefined
      : `the token provider \`${found.name}\` of the same issuer takes tokens for ${listed(found.audiences)}`;
  if (exists) return "the Mesh has no token provider of this issuer; add it to `jwtProviders`";
  if (audiences.length === 0)
    return "the rule takes tokens for any audience, a token provider here names whom they are for";
  if (jwks === undefined) return "where the issuer's keys are is not said; add `jwksUri` or `jwks`";
  if ("url" in jwks && !jwks.url.startsWith("https://")) return "the issuer's keys are fetched over https only";
  return undefined;
}

const listed = (texts: readonly string[]): string => texts.map((text) => `\`${printable(text, 60)}\``).join(", ");

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}
