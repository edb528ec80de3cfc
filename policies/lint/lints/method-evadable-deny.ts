import { type Finding, finding } from "../../findings/index.ts";
import type { RequestLine } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import { passing } from "../passing.ts";
import type { Subject } from "../subject.ts";

type HttpLine = Extract<RequestLine, { readonly kind: "http" }>;

/** Methods that do what another one does. `HEAD` is in `GET` of a deny already. */
const TWINS: ReadonlyMap<string, readonly string[]> = new Map([
  ["HEAD", ["GET"]],
  ["PUT", ["PATCH"]],
  ["PATCH", ["PUT"]],
]);

/** Headers with which an application is told another method than that of the request. */
const OVERRIDES: ReadonlySet<string> = new Set(["x-http-method-override", "x-http-method", "x-method-override"]);

/** Denies of one method while another one that does the same is allowed, or while the method can be overridden. */
export function methodEvadableDeny(subject: Subject): readonly Finding[] {
  return subject.denyLines().flatMap((line) => {
    const { line: request } = line;
    if (request?.kind !== "http" || request.methods === "ANY") return [];
    return [...byTwin(line, request, subject), ...byOverride(line, subject)];
  });
}

function byTwin(line: LineOf, request: HttpLine, subject: Subject): readonly Finding[] {
  const methods = request.methods === "ANY" ? [] : request.methods;
  const twins = methods.flatMap((method) => TWINS.get(method) ?? []).filter((twin) => !methods.includes(twin));
  return [...new Set(twins)].flatMap((twin) => {
    const witness = passing({ ...line, line: { ...request, methods: [twin] } }, line, subject);
    return witness === undefined ? [] : [report(line, `\`${twin}\`, which does the same,`, witness)];
  });
}

function byOverride(line: LineOf, subject: Subject): readonly Finding[] {
  const kept = subject
    .viewsOf(line)
    .flatMap(({ destination: { sidecar } }) => sidecar?.keepOverrideHeaders ?? [])
    .find((name) => OVERRIDES.has(name));
  return kept === undefined ? [] : [report(line, `the header \`${kept}\`, which the sidecar lets through,`, {})];
}

function report(line: LineOf, by: string, witness: Pick<Finding, "witness">): Finding {
  return finding({
    id: "method-evadable-deny",
    severity: "warning",
    about: [line.lineId, by],
    span: placeOf(line),
    message: `by ${by} a caller gets past ${textOf(line)} of the deny \`${line.rule.name}\``,
    reason: "applications answer the two alike, so what was to be kept in or out is not",
    remedy: "deny `ANY` of the path, or all methods that do the same",
    ...witness,
  });
}
