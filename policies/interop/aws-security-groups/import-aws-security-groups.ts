import { printable } from "../../printable.ts";
import { addressBlock } from "../draft/address-blocks.ts";
import type { DraftCaller, DraftPolicy, DraftRule } from "../draft/draft.ts";
import { everyRequest, GRPC_BY_SERVICE } from "../draft/everything.ts";
import { labelOf, Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import type { Say } from "../draft/say.ts";
import { type KnownWorkload, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer } from "../importer.ts";
import { portsOfRule } from "../kubernetes/ports.ts";
import { reportOf } from "../report.ts";
import { type GroupRule, readSecurityGroups, type SecurityGroup } from "./security-group.ts";

/** The label that says which security group a workload is in: the resource's name. */
export const GROUP_LABEL = "security-group";

/**
 * Terraform's `aws_security_group`, and rules that are resources of their own. A workload is in a group by its label
 * `security-group`; without a registry, one workload is written for each group.
 */
export const importAwsSecurityGroups: Importer = (texts, options) => {
  const notes = new Notes();
  const { groups, others } = readSecurityGroups(texts);
  const namespace = options.namespace ?? "default";
  const workloads =
    options.workloads ??
    groups.map(({ name }) => ({ namespace, name: labelOf(name), labels: { [GROUP_LABEL]: name } }));
  const world = worldOf({ ...options, workloads });
  for (const { place, type, labels } of others)
    notes.add(
      place,
      [type, ...labels].join(" "),
      "unsupported",
      "only security groups and their rules are read; the block is left out",
    );
  const names = new Names();
  const policies = groups.map((group) => policyOf(group, namespace, world, names, notes));
  return { documents: writeDocuments(policies, world), report: reportOf(notes.entries) };
};

function policyOf(group: SecurityGroup, namespace: string, world: World, names: Names, notes: Notes): DraftPolicy {
  const members = world.workloads.filter(({ labels }) => labels[GROUP_LABEL] === group.name);
  const construct = `aws_security_group ${group.name}`;
  const ingress = group.rules.filter(({ direction }) => direction === "ingress");
  if (ingress.length === 0)
    notes.add(group.place, construct, "exact", "a group without ingress lets nothing in, as by default here");
  for (const rule of group.rules.filter(({ direction }) => direction === "egress")) sayEgress(rule, construct, notes);
  return {
    namespace,
    name: names.take(group.name),
    protects: { labels: { [GROUP_LABEL]: group.name } },
    allow: ingress.flatMap((rule, index) => ruleOf(rule, index, { construct, group, members, world, notes })),
    deny: [],
  };
}

function sayEgress({ place, protocol, blocks, open }: GroupRule, construct: string, notes: Notes): void {
  const everything = protocol === "-1" && blocks.includes("0.0.0.0/0") && open.length === 0;
  if (everything) notes.add(place, `${construct}: egress`, "exact", "everything may be called; the callee decides");
  else
    notes.add(
      place,
      `${construct}: egress`,
      "unsupported",
      "what a workload may call is decided at the callee; the rule is left out",
      { scope: "egress" },
    );
}

interface RuleContext {
  readonly construct: string;
  readonly group: SecurityGroup;
  readonly members: readonly KnownWorkload[];
  readonly world: World;
  readonly notes: Notes;
}

function ruleOf(
  rule: GroupRule,
  index: number,
  { construct, group, members, world, notes }: RuleContext,
): readonly DraftRule[] {
  const before = notes.entries.length;
  const say: Say = (fidelity, reason, scope) =>
    notes.add(rule.place, `${construct}: ingress ${index + 1}`, fidelity, reason, scope === undefined ? {} : { scope });
  for (const text of rule.open)
    say(
      "unsupported",
      `\`${printable(text, 80)}\` is known only when Terraform runs; that part of the rule is left out`,
    );
  const numbers = /^-?\d+$/.test(rule.from) && /^-?\d+$/.test(rule.to);
  if (rule.open.some((text) => !text.startsWith("prefix_list")) && !numbers) return [];
  const from = callersOf(rule, group, say);
  const ports = portsOf(rule, members, say);
  say("narrower", GRPC_BY_SERVICE, "grpc");
  if (!notes.entries.slice(before).some(({ scope }) => scope === undefined))
    say("exact", "peers by address and by group, ports as written");
  if (from.length === 0 || (ports !== "any" && ports.length === 0)) return [];
  return [{ name: `ingress-${index + 1}`, from, requests: everyRequest(world), ...(ports === "any" ? {} : { ports }) }];
}

function callersOf({ blocks, groups, self }: GroupRule, group: SecurityGroup, say: Say): readonly DraftCaller[] {
  const addresses = blocks.flatMap((block) => {
    const read = addressBlock(block);
    if (read === undefined) say("unsupported", `\`${printable(block, 80)}\` is no address block; it is left out`);
    return read ?? [];
  });
  const named = [...new Set([...groups, ...(self ? [group.name] : [])])];
  return [
    ...(addresses.length === 0 ? [] : [{ addresses }]),
    ...named.map((name) => ({ labels: { [GROUP_LABEL]: name }, namespace: "*" })),
  ];
}

function portsOf(rule: GroupRule, members: readonly KnownWorkload[], say: Say): "any" | readonly number[] {
  const { protocol, place } = rule;
  if (protocol === "-1" || protocol === "all") return "any";
  if (protocol !== "tcp" && protocol !== "6") {
    say("unsupported", `sidecars carry no \`${printable(protocol, 20)}\`; the rule is left out`, "datagram");
    return [];
  }
  const [from, to] = [Number(rule.from), Number(rule.to)];
  if (from <= 1 && to >= 65_535) return "any";
  return portsOfRule({ peers: [], place, ports: [{ protocol: "TCP", from, to }] }, members, say);
}
