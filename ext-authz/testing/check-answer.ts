import { CheckResponse } from "../../envoy/gen/envoy/service/auth/v3/external_auth.ts";

/** What Envoy reads in an answer. */
export interface ReadAnswer {
  /** gRPC status; `undefined` where there is none, which Envoy takes for an allow. */
  readonly status: number | undefined;
  readonly httpStatus: number | undefined;
  readonly reason: string | undefined;
}

export function readAnswer(bytes: Buffer): ReadAnswer {
  const response = CheckResponse.decode(bytes);
  const http = response.httpResponse;
  const reason = response.dynamicMetadata?.reason;
  return {
    status: response.status?.code,
    httpStatus: http?.$case === "deniedResponse" ? http.value.status?.code : undefined,
    reason: typeof reason === "string" ? reason : undefined,
  };
}
