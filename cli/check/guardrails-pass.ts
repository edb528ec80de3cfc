import { checkGuardrails } from "../../policies/guardrails/index.ts";
import { checkTeams } from "../../policies/teams/index.ts";
import { count } from "../screen.ts";
import type { Pass } from "./pass.ts";

/** Whether the set keeps its guardrails, and the own documents what their team was granted: all that a publish is refused for. */
export const guardrailsPass: Pass = {
  name: "guardrails",
  doing: "looking for ways that guardrails forbid",
  finds: (id) => id.startsWith("guardrail-") || id.startsWith("team-"),
  run({ set, documents, isOwn, source, now }) {
    const guardrails = documents.filter(({ kind }) => kind === "Guardrail").length;
    const granted = source === undefined ? [] : checkTeams({ documents, set, source, isOfSource: isOwn });
    const ways = checkGuardrails(set, documents, { now });
    const findings = [...granted, ...ways];
    if (guardrails === 0) return { findings };
    const broken = ways.filter(({ severity }) => severity === "error").length;
    const kept = broken === 0 ? "kept" : `broken in ${count(broken, "place")}`;
    return { findings, summary: `${count(guardrails, "guardrail")} ${kept}`, details: { guardrails, broken } };
  },
};
