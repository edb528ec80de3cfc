import { compile } from "../compile/compile.ts";
import type { CompileOptions } from "../compile/options.ts";
import { decide } from "../decide/decide.ts";
import type { Decision } from "../model/index.ts";
import { referenceDecide } from "../reference/reference-decide.ts";
import { attributes, buildSet, type PolicyInput, type RequestInput, type SetInput } from "./build.ts";

/** The decision of engine and reference evaluator, which must be the same. Workloads: `orders`, `web`, and what is given. */
export function decideBoth(
  policies: readonly PolicyInput[],
  request: RequestInput,
  more: Partial<SetInput> = {},
  options: CompileOptions = {},
): Decision {
  const set = buildSet({ ...more, workloads: { orders: {}, web: {}, ...more.workloads }, policies });
  const asked = attributes({ from: "web", ...request });
  const decision = decide(compile(set, options), asked);
  const reference = referenceDecide(set, asked, options);
  const [left, right] = [decision, reference].map((each) => JSON.stringify({ ...each, id: "", tookMicros: 0 }));
  if (left !== right) throw new Error(`engine and reference disagree:\n${left}\n${right}`);
  return decision;
}
