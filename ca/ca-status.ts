import type { CaStatus } from "../protocol/index.ts";
import { active } from "./authorities.ts";
import type { SigningAuthority } from "./authority-rows.ts";
import type { CaContext } from "./context.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { type Holder, holdersAt } from "./holders.ts";
import { ledgerHead } from "./ledger.ts";
import type { RevocationLists } from "./revocation-lists.ts";
import type { Rotation } from "./rotation.ts";
import { readSetting } from "./settings.ts";

/** What the status is made of. */
export interface CaStatusParts {
  readonly context: CaContext;
  readonly hierarchy: Hierarchy;
  readonly rotation: Rotation;
  /** Absent where nobody asked for them. */
  readonly lists: RevocationLists | undefined;
}

/** What expires when, who holds what, who has not confirmed what. */
export async function caStatusOf({ context, hierarchy, lists, rotation }: CaStatusParts): Promise<CaStatus> {
  const now = context.clock();
  const head = await ledgerHead(context.db);
  const epoch = Number((await readSetting(context.db, "epoch")) ?? "1");
  const holders = await holdersAt(context.db, now);
  return {
    trustDomain: context.trustDomain,
    now: now.toISOString(),
    bundle: { sequence: String(hierarchy.trustBundle().sequence ?? 0n), sha256: hierarchy.bundleHash() },
    authorities: sorted(hierarchy.all()).map((one) => authority(one, hierarchy)),
    rotations: [...rotation.status()],
    holders: holders.map((one) => holder(one, rotation, hierarchy.bundleHash())),
    ledger: { entries: head.sequence, head: head.hash, epoch },
    ...(lists === undefined ? {} : { revocationLists: listsOf(lists) }),
    lifetimes: { ...context.lifetimes },
  };
}

function listsOf({ current, problem }: RevocationLists): NonNullable<CaStatus["revocationLists"]> {
  const [first] = current;
  return {
    lists: current.length,
    ...(first === undefined ? {} : { until: first.until.toISOString() }),
    ...(problem === undefined ? {} : { problem }),
  };
}

const ROLES = ["root", "intermediate", "policy-signer", "jwt"];
const STATES = ["active", "prepared", "retired"];

function sorted(all: readonly SigningAuthority[]): readonly SigningAuthority[] {
  const place = ({ role, state }: SigningAuthority) => ROLES.indexOf(role) * STATES.length + STATES.indexOf(state);
  return all.toSorted((left, right) => place(left) - place(right));
}

function authority(one: SigningAuthority, hierarchy: Hierarchy): CaStatus["authorities"][number] {
  const maker = one.role === "intermediate" ? active(hierarchy.all(), "root") : one;
  const renews = one.state === "active" && maker?.privateKey !== undefined && !one.brought;
  const half = new Date((one.notBefore.getTime() + one.notAfter.getTime()) / 2);
  return {
    role: one.role,
    state: one.state,
    serial: one.serial,
    notAfter: one.notAfter.toISOString(),
    ...(renews ? { renewAt: half.toISOString() } : {}),
    ...(one.removeAt === undefined ? {} : { removeAt: one.removeAt.toISOString() }),
    key: one.privateKey === undefined ? "elsewhere" : "here",
    compromised: one.compromised,
    ...(one.brought ? { brought: true } : {}),
  };
}

function holder(one: Holder, rotation: Rotation, hash: string): CaStatus["holders"][number] {
  const report = rotation.reportOf(one.node);
  const sidecars = report?.trust.sidecars;
  return {
    node: one.node,
    ...(one.agentNotAfter === undefined ? {} : { agentNotAfter: one.agentNotAfter.toISOString() }),
    workloads: one.workloads,
    ...(one.firstNotAfter === undefined ? {} : { firstNotAfter: one.firstNotAfter.toISOString() }),
    ...(sidecars === undefined
      ? {}
      : { sidecars: sidecars.length, confirmed: sidecars.filter(({ confirmed }) => confirmed === hash).length }),
    ...(report === undefined ? {} : { reportedAt: report.at.toISOString() }),
  };
}
