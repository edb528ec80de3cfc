import { type HclBlock, type HclValue, readHcl } from "../hcl/read-hcl.ts";
import type { SourceText } from "../importer.ts";
import type { SourcePlace } from "../report.ts";

/** One rule of a security group. */
export interface GroupRule {
  readonly place: SourcePlace;
  readonly direction: "ingress" | "egress";
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  readonly blocks: readonly string[];
  /** Resource names of other groups. */
  readonly groups: readonly string[];
  readonly self: boolean;
  /** What is known only when Terraform runs. */
  readonly open: readonly string[];
}

/** A security group: its resource's name, and its rules, also those written as resources of their own. */
export interface SecurityGroup {
  readonly name: string;
  readonly place: SourcePlace;
  readonly rules: readonly GroupRule[];
}

/** What texts of Terraform say about security groups. */
export interface GroupsAndOthers {
  readonly groups: readonly SecurityGroup[];
  readonly others: readonly HclBlock[];
}

const RULE_TYPES: ReadonlyMap<string, GroupRule["direction"] | "named"> = new Map([
  ["aws_security_group_rule", "named"],
  ["aws_vpc_security_group_ingress_rule", "ingress"],
  ["aws_vpc_security_group_egress_rule", "egress"],
]);

/** A block of that type, or the contents of one that is made for each of something. */
function blocksOf(block: HclBlock, type: string): readonly HclBlock[] {
  if (block.type === type) return [block];
  if (block.type !== "dynamic" || block.labels[0] !== type) return [];
  return block.blocks.filter((inner) => inner.type === "content");
}

/** Rules that are written as a list of maps; what is computed is kept as a rule whose addresses are that. */
function listedBlocks(group: HclBlock, type: string): readonly HclBlock[] {
  return itemsOf(group.attributes.get(type)).map((item) => {
    const attributes = item.kind === "map" ? item.entries : new Map([["cidr_blocks", item]]);
    return { type, labels: [], attributes, blocks: [], place: item.kind === "map" ? item.place : group.place };
  });
}

/** Reads the security groups of Terraform files; blocks that are about something else are given back by name. */
export function readSecurityGroups(texts: readonly SourceText[]): GroupsAndOthers {
  const blocks = texts.flatMap((text) => readHcl(text).blocks);
  const typeOf = ({ type, labels }: HclBlock): string => (type === "resource" ? (labels[0] ?? "") : "");
  const loose = blocks.flatMap((block) => {
    const kind = RULE_TYPES.get(typeOf(block));
    if (kind === undefined) return [];
    const direction = kind === "named" ? (textOf(block, "type") === "egress" ? "egress" : "ingress") : kind;
    return [{ group: groupNames(block.attributes.get("security_group_id")).names[0], rule: ruleOf(block, direction) }];
  });
  const groups = blocks
    .filter((block) => typeOf(block) === "aws_security_group")
    .map((block): SecurityGroup => {
      const name = block.labels[1] ?? "";
      const own = (["ingress", "egress"] as const).flatMap((direction) =>
        [...block.blocks.flatMap((inner) => blocksOf(inner, direction)), ...listedBlocks(block, direction)].map((one) =>
          ruleOf(one, direction),
        ),
      );
      return {
        name,
        place: block.place,
        rules: [...own, ...loose.filter(({ group }) => group === name).map(({ rule }) => rule)],
      };
    });
  const others = blocks.filter(
    (block) => typeOf(block) !== "aws_security_group" && !attached(block, groups, typeOf(block)),
  );
  return { groups, others };
}

function attached(block: HclBlock, groups: readonly SecurityGroup[], type: string): boolean {
  const [name] = groupNames(block.attributes.get("security_group_id")).names;
  return RULE_TYPES.has(type) && groups.some((group) => group.name === name);
}

function ruleOf(block: HclBlock, direction: GroupRule["direction"]): GroupRule {
  const lists = ["cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"].flatMap((key) =>
    itemsOf(block.attributes.get(key)),
  );
  const sources = ["security_groups", "source_security_group_id", "referenced_security_group_id"].map((key) =>
    groupNames(block.attributes.get(key)),
  );
  const written = [
    ...lists,
    ...["from_port", "to_port", "protocol", "ip_protocol"].flatMap((key) => block.attributes.get(key) ?? []),
  ];
  const prefixLists = ["prefix_list_ids", "prefix_list_id"].filter(
    (key) => itemsOf(block.attributes.get(key)).length > 0,
  );
  return {
    place: block.place,
    direction,
    protocol: (textOf(block, "protocol") ?? textOf(block, "ip_protocol") ?? "-1").toLowerCase(),
    from: textOf(block, "from_port") ?? "0",
    to: textOf(block, "to_port") ?? textOf(block, "from_port") ?? "0",
    blocks: lists.flatMap((item) => (item.kind === "text" ? [item.text] : [])),
    groups: sources.flatMap(({ names }) => names),
    self: textOf(block, "self") === "true",
    open: [
      ...written.flatMap((item) => (item.kind === "expression" ? [item.text] : item.kind === "map" ? ["{…}"] : [])),
      ...sources.flatMap(({ open }) => open),
      ...prefixLists,
    ],
  };
}

const itemsOf = (value: HclValue | undefined): readonly HclValue[] => {
  if (value === undefined) return [];
  return value.kind === "list" ? value.items : [value];
};

function textOf({ attributes }: HclBlock, key: string): string | undefined {
  const value = attributes.get(key);
  return value?.kind === "text" ? value.text : undefined;
}

/** Names of the resources that references such as `aws_security_group.web.id` mean. */
function groupNames(value: HclValue | undefined): {
  readonly names: readonly string[];
  readonly open: readonly string[];
} {
  const found = itemsOf(value).map((item) => {
    const text = item.kind === "text" || item.kind === "expression" ? item.text : "";
    return { text, name: /^(?:\$\{)?aws_security_group\.([\w-]+)(?:\[[^\]]*\])?\.id\}?$/.exec(text)?.[1] };
  });
  return {
    names: found.flatMap(({ name }) => name ?? []),
    open: found.flatMap(({ name, text }) => (name === undefined ? [text] : [])),
  };
}
