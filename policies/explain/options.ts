import type { CompileOptions } from "../compile/options.ts";

/** How a request is explained. */
export interface ExplainOptions extends CompileOptions {
  /** How many near lines are told at most; 5 where absent. */
  readonly nearest?: number;
  /** `false`: no edit is looked for, which takes longer than all the rest. */
  readonly suggest?: boolean;
}
