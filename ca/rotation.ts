import type { Laggard, NodeTrustReport, RotateOrder, RotationStatus, TrustBundles } from "../protocol/index.ts";
import { publicKeyFingerprint } from "../spiffe/index.ts";
import { active, prepared } from "./authorities.ts";
import type { SigningAuthority } from "./authority-rows.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { type Hierarchy, isPastHalf } from "./hierarchy.ts";
import { type Holder, holdersAt, issuedSince } from "./holders.ts";
import { type KnownReport, unconfirmed, unprobed, unreplaced, withoutBundle } from "./laggards.ts";
import type { Rotatable } from "./rotatable.ts";
import type { UseTimes } from "./rotation-store.ts";
import { MAX_WAIT_MS } from "./timers.ts";

/** What the rotation stands on. */
export interface RotationParts {
  readonly context: CaContext;
  readonly hierarchy: Hierarchy;
  readonly isNodeRevoked: (node: string) => boolean;
  /** Told of what could not be made or waited for; it is tried again. */
  readonly onProblem: (error: unknown) => void;
}

/** What agents are told beside the trust bundle. */
export interface TrustNotice {
  readonly tainted?: readonly string[];
  readonly probe?: string;
  readonly revocationLists?: TrustBundles["revocationLists"];
}

const KINDS: readonly Rotatable[] = ["root", "intermediate", "jwt"];

/**
 * Replaces signing authorities: prepared → in every live sidecar's trust → a handshake tried → in use → the old one
 * outlasted → removed.
 *
 * INVARIANT: nothing but the probe's own certificates is signed by a new authority before every node that holds a
 * certificate in force has confirmed its anchor, unless a person or a deadline says so. Calls never overlap.
 */
export class Rotation {
  readonly #parts: RotationParts;
  readonly #reports = new Map<string, KnownReport>();
  #laggards: ReadonlyMap<string, readonly Laggard[]> = new Map();
  #confirmed = new Set<Rotatable>();

  constructor(parts: RotationParts) {
    this.#parts = parts;
  }

  /** Whether somebody waits for sidecars, or for the end of a replaced authority that is near. */
  get waiting(): boolean {
    const soon = this.#parts.context.clock().getTime() + MAX_WAIT_MS;
    return this.#parts.hierarchy.all().some(({ compromised, removeAt, state }) => {
      if (state === "retired") return compromised || (removeAt !== undefined && removeAt.getTime() <= soon);
      return state === "prepared";
    });
  }

  /** The last report of a node since the authority was opened. */
  reportOf(node: string): KnownReport | undefined {
    return this.#reports.get(node);
  }

  /** Takes what a node's agent says of its sidecars. */
  reported(node: string, trust: NodeTrustReport): void {
    this.#reports.set(node, { at: this.#parts.context.clock(), trust });
  }

  /** What agents are told: keys whose work is to be replaced, and whether to try a handshake. */
  notice(): TrustNotice {
    const { all } = this.#parts.hierarchy;
    const retired = all().filter(({ role, state }) => state === "retired" && role !== "jwt");
    // With one in other hands everything is replaced, also what an older one has signed: what is left then is known to be sound.
    const replacing = retired.some(({ compromised }) => compromised) ? retired : [];
    const tainted = replacing.flatMap(({ certificate }) =>
      certificate === undefined ? [] : [publicKeyFingerprint(certificate)],
    );
    const next = prepared(all(), "intermediate");
    const probing = next !== undefined && (this.#confirmed.has("root") || this.#confirmed.has("intermediate"));
    return { ...(tainted.length === 0 ? {} : { tainted }), ...(probing ? { probe: next.serial } : {}) };
  }

  /** Begins a replacement; what follows is up to `advance`. `ERR_CA_ROTATION`, `ERR_CA_OFFLINE`. */
  async begin(request: RotateOrder): Promise<void> {
    const { context, hierarchy } = this.#parts;
    const { compromised, force, what } = request;
    if (compromised && what === "intermediate") throw believedAnyway();
    if (what === "intermediate" && prepared(hierarchy.all(), "root") !== undefined) throw bringsItsOwn();
    const now = context.clock();
    const times: UseTimes = compromised ? { by: new Date(now.getTime() + request.deadlineSeconds * 1000) } : {};
    if (compromised && what !== "intermediate") {
      await hierarchy.markCompromised(what);
      await hierarchy.prepare(what, times);
    } else if (prepared(hierarchy.all(), what) === undefined) await hierarchy.prepare(what, times);
    else await hierarchy.reschedule(what, times);
    if (force) await hierarchy.activate(what);
  }

  /** Does every step whose time has come. */
  async advance(): Promise<void> {
    const { context, hierarchy } = this.#parts;
    const now = context.clock();
    for (const what of KINDS) await this.#prepareDue(what, now);
    const nodes = await this.#liveNodes(now);
    const laggards = new Map<string, readonly Laggard[]>();
    for (const what of KINDS) laggards.set(`prepared ${what}`, await this.#activateReady(what, nodes, now));
    for (const one of this.#outlasted()) laggards.set(one.serial, await this.#removeReplaced(one, nodes));
    const over = hierarchy
      .all()
      .filter(({ removeAt, state }) => state === "retired" && removeAt !== undefined && removeAt <= now);
    await hierarchy.remove(over);
    await hierarchy.renewSigner();
    this.#laggards = laggards;
  }

  /** Every replacement under way. */
  status(): readonly RotationStatus[] {
    const { all } = this.#parts.hierarchy;
    const next = KINDS.flatMap((what) => {
      const one = prepared(all(), what);
      if (one === undefined || (what === "intermediate" && prepared(all(), "root") !== undefined)) return [];
      return [this.#distributing(what, one)];
    });
    return [
      ...next,
      ...all()
        .filter((one) => one.state === "retired")
        .map((one) => this.#outlasting(one)),
    ];
  }

  /** Nodes that hold workloads' certificates in force: their sidecars may meet one of a new authority at any moment. */
  async #liveNodes(now: Date): Promise<readonly string[]> {
    const holders: readonly Holder[] = await holdersAt(this.#parts.context.db, now);
    return holders
      .filter(({ node, workloads }) => workloads > 0 && !this.#parts.isNodeRevoked(node))
      .map(({ node }) => node);
  }

  async #prepareDue(what: Rotatable, now: Date): Promise<void> {
    const { context, hierarchy, onProblem } = this.#parts;
    const inUse = active(hierarchy.all(), what);
    if (!isPastHalf(inUse, now) || prepared(hierarchy.all(), what) !== undefined) return;
    // SECURITY: verifiers elsewhere pin a root that people brought; one made here in its place would be a stranger to them.
    if (what === "root" && inUse?.brought === true) return;
    const maker = what === "intermediate" ? active(hierarchy.all(), "root") : inUse;
    // A root that was brought from elsewhere is replaced from elsewhere.
    if (maker?.privateKey === undefined) return;
    const announceMs = what === "intermediate" ? 0 : context.lifetimes.announceSeconds * 1000;
    await hierarchy.prepare(what, { from: new Date(now.getTime() + announceMs) }).catch(onProblem);
  }

  async #activateReady(what: Rotatable, nodes: readonly string[], now: Date): Promise<readonly Laggard[]> {
    const { hierarchy } = this.#parts;
    const next = prepared(hierarchy.all(), what);
    this.#confirmed.delete(what);
    if (next === undefined || (what === "intermediate" && prepared(hierarchy.all(), "root") !== undefined)) return [];
    const laggards = this.#behind(what, nodes);
    const patient = next.activateFrom !== undefined && next.activateFrom > now;
    const late = (next.activateBy !== undefined && next.activateBy <= now) || this.#isEnding(what, now);
    if ((laggards.length > 0 || patient) && !late) return laggards;
    await hierarchy.activate(what);
    this.#confirmed.delete(what);
    return [];
  }

  /** Who is not ready for what is prepared; a handshake is asked for once everybody has confirmed. */
  #behind(what: Rotatable, nodes: readonly string[]): readonly Laggard[] {
    const { hierarchy } = this.#parts;
    const hash = hierarchy.bundleHash();
    if (what === "jwt") return withoutBundle(nodes, this.#reports, hash);
    const behind = unconfirmed(nodes, this.#reports, hash);
    if (behind.length > 0) return behind;
    this.#confirmed.add(what);
    return unprobed(nodes, this.#reports, prepared(hierarchy.all(), "intermediate")?.serial ?? "");
  }

  /** What is in use ends before a certificate could: waiting longer would do more harm than a laggard suffers. */
  #isEnding(what: Rotatable, now: Date): boolean {
    const { context, hierarchy } = this.#parts;
    const inUse = active(hierarchy.all(), what);
    return inUse === undefined || inUse.notAfter.getTime() - now.getTime() <= context.lifetimes.svidSeconds * 1000;
  }

  #outlasted(): readonly SigningAuthority[] {
    return this.#parts.hierarchy
      .all()
      .filter(({ compromised, role, state }) => compromised && state === "retired" && role === "root");
  }

  /** A root in other hands goes as soon as no sidecar needs it, and its intermediate with it. */
  async #removeReplaced(root: SigningAuthority, nodes: readonly string[]): Promise<readonly Laggard[]> {
    const { context, hierarchy } = this.#parts;
    const serials = [...this.#reports.values()].flatMap(({ trust }) =>
      trust.sidecars.flatMap(({ serial }) => serial ?? []),
    );
    const fresh = await issuedSince(context.db, serials, root.retiredSequence);
    const laggards = unreplaced(nodes, this.#reports, fresh);
    if (laggards.length > 0) return laggards;
    await hierarchy.remove(
      hierarchy.all().filter(({ compromised, role, state }) => compromised && state === "retired" && role !== "jwt"),
    );
    return [];
  }

  #distributing(what: Rotatable, one: SigningAuthority): RotationStatus {
    const until = one.activateBy ?? one.activateFrom;
    return {
      what,
      phase: this.#confirmed.has(what) ? "probing" : "distributing",
      compromised: active(this.#parts.hierarchy.all(), what)?.compromised ?? false,
      since: one.preparedAt.toISOString(),
      ...(until === undefined ? {} : { until: until.toISOString() }),
      laggards: [...(this.#laggards.get(`prepared ${what}`) ?? [])],
    };
  }

  #outlasting(one: SigningAuthority): RotationStatus {
    const what = one.role === "policy-signer" ? "intermediate" : one.role;
    return {
      what,
      phase: one.compromised ? "replacing" : "outlasting",
      compromised: one.compromised,
      since: (one.retiredAt ?? one.preparedAt).toISOString(),
      ...(one.removeAt === undefined ? {} : { until: one.removeAt.toISOString() }),
      laggards: [...(this.#laggards.get(one.serial) ?? [])],
    };
  }
}

function believedAnyway(): CaError {
  return new CaError("ERR_CA_ROTATION", "an intermediate in other hands is believed for as long as its root is", {
    hint: "replace the root: `cellwall ca rotate --root --compromised`",
  });
}

function bringsItsOwn(): CaError {
  return new CaError("ERR_CA_ROTATION", "a new root lies prepared, and brings a new intermediate", {
    hint: "`cellwall ca status` shows whom it waits for",
  });
}
