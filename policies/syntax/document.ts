import type { Span } from "../model/index.ts";
import type { AccessPolicySyntax } from "./kinds/access-policy.ts";
import type { GuardrailSyntax } from "./kinds/guardrail.ts";
import type { NodeSyntax } from "./kinds/node.ts";
import type { PolicyTestSyntax } from "./kinds/policy-test.ts";
import type { TeamSyntax } from "./kinds/team.ts";
import type { MapNode } from "./tree.ts";

/** The kinds of documents. */
export const KINDS = ["Mesh", "Node", "Team", "Workload", "AccessPolicy", "PolicyTest", "Guardrail"] as const;
export type Kind = (typeof KINDS)[number];

/** Kinds that live in no namespace. */
export const MESH_WIDE: ReadonlySet<Kind> = new Set(["Mesh", "Node", "Team"]);

/** Kinds of which a later document is merged over an earlier one of its name. */
export type MergedKind = "Mesh" | "Workload";

/** What every document says of itself. */
export interface DocumentHeader {
  readonly name: string;
  /** `""` for kinds that live in no namespace. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The name's place. */
  readonly span: Span;
}

interface Whole<K extends Kind, Spec> extends DocumentHeader {
  readonly kind: K;
  readonly spec: Spec;
}

/** A `Mesh` or `Workload`: a tree, because a later one of its name may complete or change it. `resolve` merges and reads it. */
export interface MergedDocument extends DocumentHeader {
  readonly kind: MergedKind;
  readonly tree: MapNode;
}

/** A document with errors. Its name, where it could be read, keeps others from being blamed for what it lacks. */
export interface InvalidDocument {
  readonly kind: "Invalid";
  readonly of?: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly span: Span;
}

/** One positioned, checked document. */
export type Document =
  | MergedDocument
  | Whole<"Node", NodeSyntax>
  | Whole<"Team", TeamSyntax>
  | Whole<"AccessPolicy", AccessPolicySyntax>
  | Whole<"PolicyTest", PolicyTestSyntax>
  | Whole<"Guardrail", GuardrailSyntax>
  | InvalidDocument;
