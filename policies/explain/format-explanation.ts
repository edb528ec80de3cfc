import type { WitnessRequest } from "../findings/finding.ts";
import { witnessText } from "../findings/witness-text.ts";
import type { Decision } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Edit } from "./edit.ts";
import type { CandidateExplanation, Explanation, Lack, LineReport } from "./explanation.ts";

/** An explanation as lines of text for a terminal, foreign text escaped. */
export function formatExplanation(explanation: Explanation): string {
  const { decision, deciding, nearest, refusal, except, candidate } = explanation;
  const parts = [headline(decision)];
  if (refusal !== undefined) parts.push(`  ${refusal.message}`, `  ${refusal.remedy}`);
  if (deciding !== undefined)
    parts.push(`  by ${place(deciding)}`, ...deciding.lacks.map((lack) => `    ${lackText(lack)}`));
  if (except !== undefined) parts.push(`    ${except}`);
  // No line matters to a request that was refused before all of them.
  const isAsked = refusal === undefined || refusal.reason === "isolated";
  if (isAsked) parts.push(...nearestLines(nearest, "  nearest allow lines, and what each lacks:"));
  parts.push(...suggestionLines(explanation));
  if (candidate !== undefined) parts.push(...candidateLines(candidate));
  return `${parts.join("\n")}\n`;
}

function nearestLines(nearest: readonly LineReport[], title: string): readonly string[] {
  if (nearest.length === 0) return [];
  const texts = nearest.flatMap((report) => [
    `    ${place(report)}`,
    ...report.lacks.map((lack) => `      - ${lackText(lack)}`),
    ...(report.lacks.length === 0 ? ["      - nothing: it matches"] : []),
  ]);
  return [title, ...texts];
}

function suggestionLines({ suggestion, instead }: Explanation): readonly string[] {
  const lines = instead === undefined ? [] : [`  without an edit: ${instead}`];
  if (suggestion !== undefined) {
    lines.push("  smallest edit that would allow it:", ...suggestion.edits.flatMap(editLines));
    if (suggestion.alsoAllows.length > 0) lines.push("    warning: it would allow more than this request, for example");
    lines.push(...suggestion.alsoAllows.map((witness) => `      ${shortText(witness)}`));
  }
  return lines;
}

const VERBS: Readonly<Record<Edit["action"], string>> = {
  replace: "becomes",
  insert: "after this line",
  set: "in this rule",
  remove: "without",
  create: "new document",
};

function editLines({ span, action, message, yaml }: Edit): readonly string[] {
  const where = span === undefined ? "" : `${printable(span.file)}:${span.line}:${span.column} `;
  const texts = yaml.split("\n").map((line) => `      ${printable(line, 1_024)}`);
  return [`    ${where}${printable(message)} (${VERBS[action]}):`, ...texts];
}

/** A witness without what it has in common with the request more often than not. */
function shortText(witness: WitnessRequest): string {
  const { from, to, request, headers, query } = witness;
  return witnessText({ from, to, request, ...(headers && { headers }), ...(query && { query }) });
}

function candidateLines({ verdict, reason, deciding, nearest }: CandidateExplanation): readonly string[] {
  const by = deciding === undefined ? "" : ` by ${place(deciding)}`;
  const near = verdict === "allow" ? [] : nearestLines(nearest, "  nearest allow lines of the candidates:");
  return [`  candidate policies: ${verdict}: ${reason}${by}`, ...near];
}

function headline(decision: Decision): string {
  const { verdict, evaluated, reason, detail } = decision;
  const relaxed = verdict === evaluated ? "" : " (monitor; enforcing, it would be denied)";
  return `${verdict}${relaxed}: ${reason}${detail === undefined ? "" : ` (${printable(detail)})`}`;
}

function place({ id, span }: LineReport): string {
  return `${printable(id)}  ${printable(span.file)}:${span.line}:${span.column}`;
}

/** One thing that is lacking, as a sentence. */
export function lackText(lack: Lack): string {
  const text = printable(sentence(lack), 1_024);
  return lack.unknown ? `cannot be told: ${text}` : text;
}

function sentence(lack: Lack): string {
  switch (lack.kind) {
    case "caller":
      return `caller: expected ${lack.expected}; got ${lack.got}`;
    case "label":
      return `caller's label \`${lack.key}\`: expected ${lack.expected}; got ${optional(lack.got)}`;
    case "address":
      return `address: expected one in ${lack.expected.join(", ")}; got ${lack.got ?? "none"}`;
    case "isolation":
      return `isolation by \`${lack.key}\`: caller has ${optional(lack.caller)}, destination has ${optional(lack.destination)}; the rule does not say \`across: [${lack.key}]\``;
    case "request":
      return `kind of request: expected ${lack.expected}; got ${lack.got}`;
    case "port":
      return `port: expected ${lack.expected.join(" or ")}; got ${lack.got}`;
    case "method":
      return `method: expected ${lack.expected.join(" or ")}; got ${lack.got}`;
    case "segment":
      return `path segment ${lack.position}: expected ${lack.isEnd ? "the end of the path" : `\`${lack.expected}\``}; got ${optional(lack.got)}`;
    case "trailing-slash":
      return `trailing slash: expected ${lack.expected}`;
    case "path":
      return `path: refused as ${lack.refusal}`;
    case "host":
      return `host: expected ${lack.expected.join(" or ")}; got ${lack.got === "" ? "none" : lack.got}`;
    case "header":
    case "query":
      return `${lack.kind} \`${lack.name}\`: expected ${lack.expected}; got ${values(lack.got)}`;
    case "time":
      return timeSentence(lack.notBefore, lack.notAfter);
    case "except":
      return "the rule's `except` names this caller or request";
    case "token":
      return tokenSentence(lack);
  }
}

function optional(value: string | undefined): string {
  return value === undefined ? "nothing" : `\`${value}\``;
}

function values(got: readonly string[] | "withheld" | "malformed" | "unrecorded"): string {
  if (typeof got === "string") return got;
  return got.length === 0 ? "nothing" : got.map((value) => `\`${value}\``).join(", ");
}

function timeSentence(notBefore: Date | undefined, notAfter: Date | undefined): string {
  const from = notBefore === undefined ? "" : ` from ${notBefore.toISOString()}`;
  const until = notAfter === undefined ? "" : ` until ${notAfter.toISOString()}`;
  return `time: the rule holds${from}${until}`;
}

function tokenSentence(lack: Extract<Lack, { readonly kind: "token" }>): string {
  const why = { absent: "there is no valid one", "not-run": "nothing verified tokens", claims: "it does not say so" };
  const expected = lack.expected.length === 0 ? "" : ` with ${lack.expected.join(", ")}`;
  return `token of \`${lack.provider}\`${expected}: ${why[lack.why]}`;
}
