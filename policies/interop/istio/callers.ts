import { tryParseSpiffeId } from "../../../spiffe/index.ts";
import { printable } from "../../printable.ts";
import type { DraftCaller } from "../draft/draft.ts";
import { everyCaller } from "../draft/everything.ts";
import type { Say } from "../draft/say.ts";
import { nameOf, type World } from "../draft/world.ts";
import { entriesOf, type Reach, reachOf } from "./callers-of-domain.ts";
import { passes, principalSpellings } from "./identity-text.ts";
import type { IdentityTest } from "./policy.ts";

/** Who a clause speaks of: entries, and those that are carved out of them. `from` absent is everyone, also in a deny. */
export interface Callers {
  readonly from: readonly DraftCaller[] | undefined;
  readonly except: readonly DraftCaller[];
}

/**
 * The callers that pass all tests. `carve` says whether an exception may be used; without it all are named one by one.
 * What cannot be said makes an allow narrower and a deny wider, which is narrower too; `say` reports it.
 */
export function callersOf(
  tests: readonly IdentityTest[],
  effect: "allow" | "deny",
  carve: boolean,
  world: World,
  say: Say,
): Callers {
  const everyone = effect === "deny" ? undefined : everyCaller(world);
  if (tests.length === 0) return { from: everyone, except: [] };
  for (const test of tests) sayImpossible(test, world, say);
  const positive = tests.filter(({ negated }) => !negated);
  const negative = tests.filter(({ negated }) => negated);
  const carved = carve ? carvedOut(negative, world) : undefined;
  if (positive.length === 0 && carved !== undefined) return { from: everyone, except: carved };
  const [only, ...more] = positive;
  if (only !== undefined && more.length === 0 && carved !== undefined) {
    const entries = domains(world).map((name) => entriesOf(reachOf(only, name, world), name, world));
    if (entries.every((one) => one !== undefined)) return { from: entries.flatMap((one) => one ?? []), except: carved };
  }
  const known = foreignOpen(tests, effect, world);
  const spared = known.filter((identity) => !tests.every((test) => passes(test, identity, world)));
  const named = namedOneByOne(tests, effect, carve || spared.length === 0 ? "unregistered" : "foreign", world, say);
  return { from: named, except: carve ? spared.map((spiffe) => ({ spiffe })) : [] };
}

const domains = ({ trustDomain, foreign }: World): readonly string[] => [trustDomain, ...foreign];

/** Entries for everybody that one of the negated tests is about; absent where some could not be named. */
function carvedOut(negative: readonly IdentityTest[], world: World): readonly DraftCaller[] | undefined {
  const entries = negative.flatMap((test) =>
    domains(world).map((name) => entriesOf(reachOf(test, name, world), name, world)),
  );
  return entries.every((one) => one !== undefined) ? entries.flatMap((one) => one ?? []) : undefined;
}

function namedOneByOne(
  tests: readonly IdentityTest[],
  effect: "allow" | "deny",
  untold: "unregistered" | "foreign",
  world: World,
  say: Say,
): readonly DraftCaller[] {
  const passesAll = (identity: string | undefined): boolean => tests.every((test) => passes(test, identity, world));
  const registered = world.workloads
    .filter(({ identity }) => passesAll(identity))
    .map((one) => ({ workload: nameOf(one) }));
  const own = ownByName(tests, world, passesAll);
  const foreign = world.foreign.flatMap((name) => foreignCallers(tests, name, effect, untold, world, passesAll, say));
  const anonymous: readonly DraftCaller[] = passesAll(undefined) ? [{ anyone: "anonymous" }] : [];
  if (own === undefined && world.workloads.length === 0)
    say("narrower", "who is meant can only be told of a registry, and the import was given none", "unregistered");
  return [...(own ?? registered), ...foreign, ...anonymous];
}

/** The own trust domain's callers where some test names them, so that no registry is needed. */
function ownByName(
  tests: readonly IdentityTest[],
  world: World,
  passesAll: (identity: string) => boolean,
): readonly DraftCaller[] | undefined {
  const found = exactNames(tests, world.trustDomain, world)?.filter(passesAll);
  return found?.map((spiffe) => ({ spiffe }));
}

/** The exact identities that some test without `not` confines the callers of a trust domain to. */
function exactNames(tests: readonly IdentityTest[], trustDomain: string, world: World): readonly string[] | undefined {
  for (const test of tests) {
    const reach = reachOf(test, trustDomain, world);
    if (test.negated || !(reach.kind === "none" || reach.kind === "named")) continue;
    const names = reach.kind === "named" ? reach.spiffe : [];
    if (names.every((name) => !name.endsWith("/**"))) return names;
  }
  return undefined;
}

function foreignCallers(
  tests: readonly IdentityTest[],
  trustDomain: string,
  effect: "allow" | "deny",
  untold: "unregistered" | "foreign",
  world: World,
  passesAll: (identity: string) => boolean,
  say: Say,
): readonly DraftCaller[] {
  const told = toldApart(tests, trustDomain, world);
  if (told !== undefined)
    return told.filter(
      (caller) => caller.spiffe === undefined || caller.spiffe.endsWith("/**") || passesAll(caller.spiffe),
    );
  const reason = `which callers of \`${trustDomain}\` are meant can only be told of those known by name`;
  say("narrower", reason, untold);
  if (effect === "deny") return [{ trustDomain }];
  return knownOf(trustDomain, world)
    .filter(passesAll)
    .map((spiffe) => ({ spiffe }));
}

/** Entries for the callers of a foreign trust domain, where they can be told without knowing who there is. */
function toldApart(
  tests: readonly IdentityTest[],
  trustDomain: string,
  world: World,
): readonly DraftCaller[] | undefined {
  const names = exactNames(tests, trustDomain, world);
  if (names !== undefined) return names.map((spiffe) => ({ spiffe }));
  const truths = tests.map((test) => truthOf(test, reachOf(test, trustDomain, world)));
  if (truths.includes("none")) return [];
  const [only, ...more] = tests.filter((_, index) => truths[index] === "some");
  if (only === undefined) return [{ trustDomain }];
  return only.negated || more.length > 0 ? undefined : entriesOf(reachOf(only, trustDomain, world), trustDomain, world);
}

const knownOf = (trustDomain: string, { foreignIdentities }: World): readonly string[] =>
  foreignIdentities.filter((identity) => identity.startsWith(`spiffe://${trustDomain}/`));

/** Known callers of the foreign trust domains that a deny is about as a whole. */
function foreignOpen(tests: readonly IdentityTest[], effect: "allow" | "deny", world: World): readonly string[] {
  if (effect === "allow") return [];
  const open = world.foreign.filter((name) => toldApart(tests, name, world) === undefined);
  return open.flatMap((name) => knownOf(name, world));
}

function truthOf({ negated }: IdentityTest, { kind }: Reach): "none" | "all" | "some" {
  if (kind === "none") return negated ? "all" : "none";
  if (kind === "all") return negated ? "none" : "all";
  return "some";
}

/** A principal that is no SPIFFE ID cannot be presented here, and one of a trust domain that is not federated is refused. */
function sayImpossible({ kind, values, negated }: IdentityTest, world: World, say: Say): void {
  if (kind !== "principal" || negated) return;
  for (const value of values.filter((one) => !one.includes("*"))) {
    const parsed = tryParseSpiffeId(`spiffe://${value}`);
    if (!parsed.ok || parsed.id.path === "")
      say("narrower", `\`${printable(value, 80)}\` is no workload's SPIFFE ID`, "malformed-identity", undefined, value);
    else if (!principalSpellings(value, world).some((one) => domains(world).includes(one.split("/")[0] ?? "")))
      say(
        "narrower",
        `the trust domain of \`${printable(value, 80)}\` is not federated, so that its callers are refused`,
        "foreign",
      );
  }
}
