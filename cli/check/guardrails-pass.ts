import { checkGuardrails } from "../../policies/guardrails/index.ts";
import { count } from "../screen.ts";
import type { Pass } from "./pass.ts";

/** Whether the set keeps its guardrails. */
export const guardrailsPass: Pass = {
  name: "guardrails",
  doing: "looking for ways that guardrails forbid",
  finds: (id) => id.startsWith("guardrail-"),
  run({ set, documents, now }) {
    const guardrails = documents.filter(({ kind }) => kind === "Guardrail").length;
    const findings = checkGuardrails(set, documents, { now });
    if (guardrails === 0) return { findings };
    const broken = findings.filter(({ severity }) => severity === "error").length;
    const kept = broken === 0 ? "kept" : `broken in ${count(broken, "place")}`;
    return { findings, summary: `${count(guardrails, "guardrail")} ${kept}`, details: { guardrails, broken } };
  },
};
