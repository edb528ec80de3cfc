import { z } from "zod";
import { nodeTrustReport, openStreams } from "../../protocol/index.ts";

const counter = z.int().nonnegative();

/** `POST /v1/node/status` (mTLS): what an agent has applied. */
export const nodeStatusReport = z.strictObject({
  epoch: counter,
  revision: counter,
  revocations: counter,
  /** How far its sidecars are with the trust bundle. */
  trust: nodeTrustReport.optional(),
  /** What callers have open at its sidecars. */
  open: openStreams.optional(),
});

/** `GET /healthz`: the process answers. */
export const health = z.strictObject({ status: z.literal("ok") });

/** `GET /readyz`: requests are served, and of which bundle. */
export const readiness = z.strictObject({
  status: z.literal("ready"),
  bundle: z.strictObject({ epoch: counter, revision: counter }).optional(),
});

/** `GET /v1/ledger`: what to look for. */
export const ledgerQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/)
    .optional(),
  identity: z.string().max(2048).optional(),
  node: z.string().max(253).optional(),
  kind: z.enum(["x509-svid", "jwt-svid", "agent", "authority", "policy-signer", "refusal"]).optional(),
  /** Only entries before this one. */
  before: z
    .string()
    .regex(/^[1-9]\d{0,14}$/)
    .optional(),
  /** With fingerprints and hashes. */
  proof: z.literal("true").optional(),
});

/** The OpenAPI document itself. */
export const openApi = z.looseObject({ openapi: z.string() });
