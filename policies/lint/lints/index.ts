import type { Finding } from "../../findings/index.ts";
import type { Subject } from "../subject.ts";
import { addressIdentity } from "./address-identity.ts";
import { anyAny } from "./any-any.ts";
import { anyoneCaller } from "./anyone-caller.ts";
import { callNotAllowed } from "./call-not-allowed.ts";
import { caseEvadableDeny } from "./case-evadable-deny.ts";
import { contradictedByDeny } from "./contradicted-by-deny.ts";
import { denyWithTimeLimit } from "./deny-with-time-limit.ts";
import { duplicateLine } from "./duplicate-line.ts";
import { evadableDeny } from "./evadable-deny.ts";
import { everyMethod } from "./every-method.ts";
import { everyPath } from "./every-path.ts";
import { everyPort } from "./every-port.ts";
import { expiredRule } from "./expired-rule.ts";
import { expiringRule } from "./expiring-rule.ts";
import { headerSubstring } from "./header-substring.ts";
import { literalSweptIn } from "./literal-swept-in.ts";
import { matchesNothing } from "./matches-nothing.ts";
import { methodEvadableDeny } from "./method-evadable-deny.ts";
import { missingOwner } from "./missing-owner.ts";
import { missingReason } from "./missing-reason.ts";
import { neverSatisfiable } from "./never-satisfiable.ts";
import { overdueReview } from "./overdue-review.ts";
import { overriddenByDeny } from "./overridden-by-deny.ts";
import { probeExemption } from "./probe-exemption.ts";
import { redundantLine } from "./redundant-line.ts";
import { shadowedLine } from "./shadowed-line.ts";
import { undeclaredCall } from "./undeclared-call.ts";
import { unprotectedWorkload } from "./unprotected-workload.ts";
import { untestedGrant } from "./untested-grant.ts";

/** One lint: everything of its kind in a set. */
export type Lint = (subject: Subject) => readonly Finding[];

/** All of them, by the id of their findings. */
export const LINTS: ReadonlyMap<string, Lint> = new Map<string, Lint>([
  ["address-identity", addressIdentity],
  ["any-any", anyAny],
  ["anyone-caller", anyoneCaller],
  ["call-not-allowed", callNotAllowed],
  ["case-evadable-deny", caseEvadableDeny],
  ["contradicted-by-deny", contradictedByDeny],
  ["deny-with-time-limit", denyWithTimeLimit],
  ["duplicate-line", duplicateLine],
  ["evadable-deny", evadableDeny],
  ["every-method", everyMethod],
  ["every-path", everyPath],
  ["every-port", everyPort],
  ["expired-rule", expiredRule],
  ["expiring-rule", expiringRule],
  ["header-substring", headerSubstring],
  ["literal-swept-in", literalSweptIn],
  ["matches-nothing", matchesNothing],
  ["method-evadable-deny", methodEvadableDeny],
  ["missing-owner", missingOwner],
  ["missing-reason", missingReason],
  ["never-satisfiable", neverSatisfiable],
  ["overdue-review", overdueReview],
  ["overridden-by-deny", overriddenByDeny],
  ["probe-exemption", probeExemption],
  ["redundant-line", redundantLine],
  ["shadowed-line", shadowedLine],
  ["undeclared-call", undeclaredCall],
  ["unprotected-workload", unprotectedWorkload],
  ["untested-grant", untestedGrant],
]);
