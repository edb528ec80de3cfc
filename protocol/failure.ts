import { z } from "zod";

const span = z.strictObject({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  endLine: z.int(),
  endColumn: z.int(),
});

export const diagnosticMessage = z.strictObject({
  severity: z.enum(["error", "warning", "info"]),
  code: z.string(),
  span,
  message: z.string(),
  hint: z.string().optional(),
});

/** Every error answer of the API. */
export const apiError = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    diagnostics: z.array(diagnosticMessage).optional(),
  }),
});
export type ApiError = z.infer<typeof apiError>;

/** An answer that only says that it was done. */
export const acknowledgement = z.strictObject({ ok: z.literal(true) });
