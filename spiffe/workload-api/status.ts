import { status } from "@grpc/grpc-js";
import type { WorkloadState } from "./state.ts";

/** How a call fails. */
export interface ServiceError {
  readonly code: status;
  readonly details: string;
}

/** How calls fail while there is no identity (Workload Endpoint, section 6). */
export function absence(state: Exclude<WorkloadState, { kind: "present" }>): ServiceError {
  switch (state.kind) {
    case "pending":
      return { code: status.UNAVAILABLE, details: "there is no identity for this workload yet" };
    case "none":
      return { code: status.PERMISSION_DENIED, details: "no identity issued" };
  }
}

export const invalid = (details: string): ServiceError => ({ code: status.INVALID_ARGUMENT, details });
