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

/** All of them. */
export const LINTS: readonly Lint[] = [
  addressIdentity,
  anyAny,
  anyoneCaller,
  everyMethod,
  everyPath,
  everyPort,
  expiredRule,
  expiringRule,
  headerSubstring,
  matchesNothing,
  missingOwner,
  missingReason,
  overdueReview,
  probeExemption,
  undeclaredCall,
  unprotectedWorkload,
  untestedGrant,
  callNotAllowed,
  caseEvadableDeny,
  contradictedByDeny,
  denyWithTimeLimit,
  duplicateLine,
  evadableDeny,
  literalSweptIn,
  methodEvadableDeny,
  neverSatisfiable,
  overriddenByDeny,
  redundantLine,
  shadowedLine,
];
