import type { Span } from "../../policies/index.ts";
import { EnvoyError } from "../envoy-error.ts";

/** A sidecar that cannot be rendered, with the place in the policy files that asks for it: `ERR_ENVOY_CONFIG`. */
export function configError(span: Span, message: string, hint: string): EnvoyError {
  return new EnvoyError("ERR_ENVOY_CONFIG", `${span.file}:${span.line}:${span.column}: ${message}`, { hint });
}
