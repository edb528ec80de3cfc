import type { Diagnostic, Severity, Span } from "../model/index.ts";

/** Every code a finding about policy texts can carry. */
export type DiagnosticCode =
  // Reading the text (policies/syntax)
  | "ERR_POLICY_TOO_LARGE"
  | "ERR_POLICY_TOO_DEEP"
  | "ERR_POLICY_TOO_MANY"
  | "ERR_POLICY_CHARACTER"
  | "ERR_POLICY_YAML"
  | "ERR_POLICY_ALIAS"
  | "ERR_POLICY_ANCHOR"
  | "ERR_POLICY_TAG"
  | "ERR_POLICY_DIRECTIVE"
  | "ERR_POLICY_MERGE_KEY"
  | "ERR_POLICY_DUPLICATE_KEY"
  | "ERR_POLICY_UNKNOWN_KEY"
  | "ERR_POLICY_MISSING_KEY"
  | "ERR_POLICY_NOT_TEXT"
  | "ERR_POLICY_TYPE"
  | "ERR_POLICY_EMPTY"
  | "ERR_POLICY_ONE_REQUEST_A_LINE"
  | "ERR_POLICY_VALUE"
  | "ERR_POLICY_API_VERSION"
  | "ERR_POLICY_KIND"
  | "ERR_POLICY_REQUEST"
  | "ERR_POLICY_PATH"
  | "ERR_POLICY_MATCHER"
  | "ERR_POLICY_HEADER"
  | "ERR_POLICY_IDENTITY"
  | "ERR_POLICY_CONFLICT"
  | "WARN_POLICY_METHOD"
  | "WARN_POLICY_PATH"
  // Reading the set (policies/resolve)
  | "ERR_POLICY_NO_MESH"
  | "ERR_POLICY_SECOND_MESH"
  | "ERR_POLICY_DUPLICATE_NAME"
  | "ERR_POLICY_DUPLICATE_IDENTITY"
  | "ERR_POLICY_DUPLICATE_PORT"
  | "ERR_POLICY_DUPLICATE_SOCKET"
  | "ERR_POLICY_DUPLICATE_UID"
  | "ERR_POLICY_FOREIGN_IDENTITY"
  | "ERR_POLICY_SYSTEM_IDENTITY"
  | "ERR_POLICY_UNKNOWN_WORKLOAD"
  | "ERR_POLICY_UNKNOWN_NODE"
  | "ERR_POLICY_UNKNOWN_PORT"
  | "ERR_POLICY_UNKNOWN_PROVIDER"
  | "ERR_POLICY_UNKNOWN_POLICY"
  | "ERR_POLICY_UNKNOWN_RULE"
  | "ERR_POLICY_NOT_FEDERATED"
  | "ERR_POLICY_NAMESPACE"
  | "ERR_POLICY_WITHHELD_HEADER"
  | "ERR_POLICY_TCP_CONDITION"
  | "ERR_POLICY_SERVER_FIRST"
  | "ERR_POLICY_ACROSS"
  | "ERR_POLICY_REASON"
  | "WARN_POLICY_MATCHES_NOTHING"
  | "WARN_POLICY_NOT_A_PORT"
  | "WARN_POLICY_NO_ISOLATION_LABEL"
  | "WARN_POLICY_NO_APPROVER";

/** Puts a finding together; the severity follows from the code's first word. */
export function diagnostic(code: DiagnosticCode, span: Span, message: string, hint?: string): Diagnostic {
  const severity: Severity = code.startsWith("WARN_") ? "warning" : "error";
  return hint === undefined ? { severity, code, span, message } : { severity, code, span, message, hint };
}
