import { printable } from "../../printable.ts";
import type { DraftProvider } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import { listed, TokenProviders } from "../draft/token-providers.ts";
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
    const tokens = new TokenProviders(options, audiences);
    this.#rootNamespace = options.rootNamespace ?? "istio-system";
    this.#everywhere = authentications.length === 0 ? tokens.known : [];
    this.#verified = authentications.flatMap((one) => verifiedBy(one, services, { tokens, notes }));
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
  readonly tokens: TokenProviders;
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

function providerOf(rule: JwtRule, construct: string, { tokens, notes }: Reading): DraftProvider | undefined {
  const here = `${construct}: issuer \`${printable(rule.issuer, 80)}\``;
  const told = tokens.tell(rule);
  if ("problem" in told) {
    notes.add(rule.place, here, "unsupported", `${told.problem}; its tokens count for nothing`);
    return undefined;
  }
  const { provider, lent } = told;
  notes.add(rule.place, here, "exact", `it is the Mesh's token provider \`${provider.name}\``);
  if (lent)
    notes.add(
      rule.place,
      here,
      "narrower",
      `tokens for any audience count there, here those for ${listed(provider.audiences)}`,
      {
        scope: "other-audience",
      },
    );
  return provider;
}
