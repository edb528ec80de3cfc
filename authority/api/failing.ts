import type { ServerResponse } from "node:http";
import { failureOf } from "./failure.ts";
import { answerJson } from "./json-answer.ts";

/** Who is told of what has failed. */
export interface FailureListeners {
  /** Told of every answer. */
  answered(route: string, status: number, code: string | undefined): void;
  /** Told of what nobody expected. */
  unexpected(error: unknown): void;
}

/** Answers what a handler threw. `route` is absent where it was not known yet; false where an answer has begun before. */
export function answerFailure(
  error: unknown,
  { response, route = "other" }: { readonly response: ServerResponse; readonly route?: string | undefined },
  listeners: FailureListeners,
): boolean {
  const failure = failureOf(error);
  if (failure.unexpected) listeners.unexpected(error);
  listeners.answered(route, failure.status, failure.body.error.code);
  if (response.headersSent) return false;
  if (failure.status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  answerJson(response, failure.status, failure.body);
  return true;
}
