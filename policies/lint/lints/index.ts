import type { Finding } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { addressIdentity } from "./address-identity.ts";
import { anyAny } from "./any-any.ts";
import { anyoneCaller } from "./anyone-caller.ts";
import { everyMethod } from "./every-method.ts";
import { everyPath } from "./every-path.ts";
import { everyPort } from "./every-port.ts";
import { expiredRule } from "./expired-rule.ts";
import { expiringRule } from "./expiring-rule.ts";
import { headerSubstring } from "./header-substring.ts";
import { matchesNothing } from "./matches-nothing.ts";
import { missingOwner } from "./missing-owner.ts";
import { missingReason } from "./missing-reason.ts";
import { overdueReview } from "./overdue-review.ts";
import { probeExemption } from "./probe-exemption.ts";
import { unprotectedWorkload } from "./unprotected-workload.ts";

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
  unprotectedWorkload,
];
