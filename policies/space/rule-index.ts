import type { Caller } from "../match/caller.ts";
import type { AccessPolicy } from "../model/index.ts";
import type { SpaceLine } from "./lines.ts";

/** Lines that share everything but what they ask of the request. */
export interface SpaceRule {
  readonly number: number;
  readonly rule: SpaceLine["rule"];
  /** By side: a policy that has it, which says of which callers its labels may speak (`AccessPolicy.labelled`). */
  readonly policies: readonly (AccessPolicy | undefined)[];
  readonly lines: readonly SpaceLine[];
}

/** Rules by the workloads that their `from` names, so that a caller is asked about few rules that cannot match it. */
export class RuleIndex {
  readonly #named = new Map<string, SpaceRule[]>();
  readonly #open: SpaceRule[] = [];

  constructor(lines: readonly SpaceLine[]) {
    for (const rule of groupByRule(lines)) {
      const names = namesOf(rule);
      if (names === undefined) this.#open.push(rule);
      else for (const name of names) append(this.#named, name, rule);
    }
  }

  /** The rules that may match a caller that the sides know as these, in one order for all callers. */
  candidates(callers: readonly (Caller | undefined)[]): readonly SpaceRule[] {
    let found: readonly SpaceRule[] = this.#open;
    let last: string | undefined;
    for (const caller of callers) {
      if (caller?.kind !== "registered") continue;
      const name = `${caller.workload.namespace}/${caller.workload.name}`;
      const named = name === last ? undefined : this.#named.get(name);
      if (named !== undefined) found = last === undefined ? [...found, ...named] : [...new Set([...found, ...named])];
      last = name;
    }
    return found;
  }
}

function groupByRule(lines: readonly SpaceLine[]): readonly SpaceRule[] {
  const groups = new Map<number, SpaceLine[]>();
  for (const line of lines) {
    const known = groups.get(line.ruleNumber);
    if (known === undefined) groups.set(line.ruleNumber, [line]);
    else known.push(line);
  }
  return [...groups].flatMap(([number, group]): readonly SpaceRule[] => {
    const [first] = group;
    if (first === undefined) return [];
    const policies = first.named.map(
      (_, side) => group.find(({ named }) => named[side]?.[0])?.named[side]?.[0]?.policy,
    );
    return [{ number, rule: first.rule, policies, lines: group }];
  });
}

/** The workloads of which one must call; nothing where others can match. */
function namesOf({ rule }: SpaceRule): ReadonlySet<string> | undefined {
  if (rule.from === undefined) return undefined;
  const names = new Set<string>();
  for (const { workload } of rule.from) {
    if (workload === undefined) return undefined;
    names.add(`${workload.namespace}/${workload.name}`);
  }
  return names;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
