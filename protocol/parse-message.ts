import type { z } from "zod";
import { ProtocolError } from "./protocol-error.ts";

/** Reads a message by its schema; throws `ProtocolError` `ERR_PROTOCOL_MESSAGE` with the path of what is wrong. */
export function parseMessage<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const at = issue === undefined || issue.path.length === 0 ? "" : ` at \`${issue.path.join(".")}\``;
  throw new ProtocolError("ERR_PROTOCOL_MESSAGE", `not a valid ${what}${at}: ${issue?.message ?? "unreadable"}`);
}
