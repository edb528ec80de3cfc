import { z } from "zod";
import { diagnosticMessage } from "./failure.ts";
import { commit, counter, instant, source } from "./values.ts";

/**
 * `POST /v1/policies` (admin, or a publisher's OIDC token): the files of one source, replaced at once; or with `approve`
 * the approval of a publish that waits for one.
 */
export const publishRequest = z.strictObject({
  files: z.array(z.strictObject({ path: z.string(), text: z.string() })).default([]),
  dryRun: z.boolean().default(false),
  source: source.default(""),
  commit: commit.optional(),
  /** Id of a pending publish; with `dryRun` it is shown and goes on waiting. */
  approve: z.string().optional(),
});
export type PublishRequest = z.input<typeof publishRequest>;

const publishedFile = z.strictObject({ path: z.string(), text: z.string(), source: z.string() });

/** `GET /v1/policies` (admin): the files of the set in force, each with the source that published it. */
export const publishedPolicies = z.strictObject({
  epoch: counter,
  revision: counter,
  publisher: z.string(),
  files: z.array(publishedFile),
});
export type PublishedPolicies = z.infer<typeof publishedPolicies>;

const identityOnNodes = z.strictObject({ identity: z.string(), nodes: z.array(z.string()) });

/** What a publish does to the registry: who may enrol, and which nodes obtain which identity. */
export const registryChange = z.strictObject({
  nodes: z.strictObject({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.strictObject({ node: z.string(), what: z.array(z.enum(["labels", "attest"])) })),
  }),
  identities: z.strictObject({
    added: z.array(identityOnNodes),
    /** With the nodes that could run them. */
    removed: z.array(identityOnNodes),
    reissued: z.array(
      z.strictObject({
        identity: z.string(),
        /** The workload's identity before. */
        was: z.string().optional(),
        /** Nodes that will obtain it. */
        gains: z.array(z.string()),
        /** Nodes that may no longer have it. */
        loses: z.array(z.string()),
      }),
    ),
  }),
});
export type RegistryChange = z.infer<typeof registryChange>;

/** A publish that waits, for whom it asks to approve it. */
export const publishReview = z.strictObject({
  publisher: z.string(),
  at: instant,
  source,
  why: z.string(),
  commit: commit.optional(),
  /** What would be in force: the files of every source. */
  files: z.array(publishedFile),
});
export type PublishReview = z.infer<typeof publishReview>;

/** Answer to a publish; `published` is false for a dry run, for an unchanged set and for one that waits for approval. */
export const publishResponse = z.strictObject({
  /** That somebody else must approve it first: `id` names it for 7 days. */
  pending: z.strictObject({ id: z.string(), why: z.string() }).optional(),
  /** The answer to `approve` with `dryRun`. */
  review: publishReview.optional(),
  published: z.boolean(),
  epoch: counter,
  revision: counter,
  workloads: z.strictObject({ added: z.array(z.string()), removed: z.array(z.string()), changed: z.array(z.string()) }),
  registry: registryChange.optional(),
  policies: z.int(),
  diagnostics: z.array(diagnosticMessage),
});
export type PublishResponse = z.infer<typeof publishResponse>;
