import { apiError } from "../../protocol/index.ts";
import { AgentError } from "../agent-error.ts";

const UNTRUSTED = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
]);

/** What a failed connection means: a server that is not ours, or none that answers. */
export function connectionError(origin: string, error: Error): AgentError {
  if (error instanceof AgentError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (UNTRUSTED.has(code)) {
    return new AgentError(
      "ERR_AGENT_AUTHORITY_UNTRUSTED",
      `the server at \`${origin}\` is not trusted: ${error.message}`,
      {
        cause: error,
        hint: "check the authority's address and this host's clock; where its root was replaced while this agent was away, a new join token brings it back",
      },
    );
  }
  return new AgentError(
    "ERR_AGENT_AUTHORITY_UNREACHABLE",
    `no answer from the authority at \`${origin}\`: ${error.message}`,
    {
      cause: error,
    },
  );
}

/** An error answer, in the authority's own words where they can be read. */
export function refusedError(path: string, status: number, body: Buffer): AgentError {
  const said = readApiError(body);
  const message = said?.message ?? `HTTP status ${status}`;
  return new AgentError("ERR_AGENT_AUTHORITY_REFUSED", `the authority refused \`${path}\`: ${message}`, {
    httpStatus: status,
    apiCode: said?.code,
    hint: said?.hint,
  });
}

function readApiError(
  body: Buffer,
): { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined {
  try {
    const read = apiError.safeParse(JSON.parse(body.toString("utf8")));
    return read.success ? read.data.error : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the same request may succeed later without anybody doing anything: no answer, or the server's own trouble. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof AgentError)) return false;
  if (error.code === "ERR_AGENT_AUTHORITY_UNREACHABLE") return true;
  const status = error.httpStatus ?? 0;
  return error.code === "ERR_AGENT_AUTHORITY_REFUSED" && (status === 429 || status >= 500);
}
