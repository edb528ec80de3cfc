import { addressBlock, blocksWithinAll } from "../draft/address-blocks.ts";
import { isRecord } from "../foreign-yaml.ts";
import { exactPath, segmentPrefix } from "../paths/patterns.ts";
import type { SourcePlace } from "../report.ts";
import type { CalicoRule, PortSpan, Side } from "./policy.ts";
import type { Selector } from "./selector.ts";

type Path = readonly (string | number)[];
type Values = Readonly<Record<string, unknown>>;

/** Where a rule stands, and how its texts are read. */
export interface RuleReading {
  /** The policy's namespace; absent: a global policy's. */
  readonly namespace: string | undefined;
  readonly ofUnknown: boolean;
  readonly placeOf: (path: Path) => SourcePlace;
  readonly refuse: (path: Path, message: string) => Error;
  /** A selector's text; `ofNamespaces` of namespaces. */
  readonly selector: (text: unknown, path: Path, ofNamespaces?: boolean) => Selector;
}

const ACTIONS: ReadonlyMap<string, CalicoRule["action"]> = new Map([
  ["Allow", "allow"],
  ["Deny", "deny"],
  ["Log", "log"],
  ["Pass", "pass"],
]);

const SIDE_KEYS = "nets notNets selector notSelector namespaceSelector ports notPorts serviceAccounts".split(" ");

/** Reads one rule of a policy. */
export function readRule(value: unknown, path: Path, reading: RuleReading): CalicoRule {
  const rule = isRecord(value) ? value : {};
  const action = ACTIONS.get(String(rule.action));
  if (action === undefined) throw reading.refuse(path, "a rule's action is Allow, Deny, Log or Pass");
  const http = isRecord(rule.http) ? rule.http : undefined;
  const methods =
    Array.isArray(http?.methods) && http.methods.length > 0 ? [...new Set(http.methods.map(String))] : undefined;
  const paths = Array.isArray(http?.paths) && http.paths.length > 0 ? http.paths : undefined;
  const source = readSide(rule.source, [...path, "source"], reading);
  return {
    place: reading.placeOf(path),
    action,
    tcp: speaksOfTcp(rule),
    source: { ...source, nets: ofFamily(source.nets, rule.ipVersion) },
    destination: readSide(rule.destination, [...path, "destination"], reading),
    methods: methods?.includes("*") === true ? undefined : methods,
    paths: paths === undefined ? undefined : [...new Set(paths.flatMap(pathPatterns))],
    ofUnknown: reading.ofUnknown,
  };
}

function speaksOfTcp({ protocol, notProtocol, icmp }: Values): boolean {
  const isTcp = (one: unknown): boolean => /^(?:tcp|6)$/i.test(String(one));
  if (icmp !== undefined) return false;
  return (protocol === undefined || isTcp(protocol)) && (notProtocol === undefined || !isTcp(notProtocol));
}

/** The blocks of one address family, where a rule names one. */
function ofFamily(nets: readonly string[] | undefined, version: unknown): readonly string[] | undefined {
  if (version !== 4 && version !== 6) return nets;
  const all = [version === 4 ? "0.0.0.0/0" : "::/0"];
  return nets === undefined ? all : blocksWithinAll(nets, all);
}

function readSide(value: unknown, path: Path, reading: RuleReading): Side {
  const side = isRecord(value) ? value : {};
  const list = (key: string): readonly string[] => (Array.isArray(side[key]) ? side[key].map(String) : []);
  const blocks = (key: string): readonly string[] => list(key).flatMap((text) => addressBlock(text) ?? []);
  const accounts = isRecord(side.serviceAccounts) ? side.serviceAccounts : {};
  return {
    matches: matchesOf(side, path, reading),
    nets: list("nets").length === 0 ? undefined : blocks("nets"),
    notNets: blocks("notNets"),
    ports: list("ports").length === 0 ? undefined : list("ports").map(portSpan),
    notPorts: list("notPorts").map(portSpan),
    untold: [
      ...Object.keys(side).filter((key) => !SIDE_KEYS.includes(key)),
      ...(isText(accounts.selector) ? ["serviceAccounts.selector"] : []),
    ],
  };
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function matchesOf(side: Values, path: Path, { namespace: own, selector: read }: RuleReading): Side["matches"] {
  const accounts = isRecord(side.serviceAccounts) ? side.serviceAccounts : undefined;
  const names = Array.isArray(accounts?.names) ? accounts.names.map(String) : [];
  const says = ["selector", "notSelector", "namespaceSelector"].some((key) => isText(side[key]));
  if (!says && names.length === 0 && !isText(accounts?.selector)) return undefined;
  const selector = read(side.selector, [...path, "selector"]);
  const not = isText(side.notSelector) ? read(side.notSelector, [...path, "notSelector"]) : () => false;
  const inNamespace = isText(side.namespaceSelector)
    ? read(side.namespaceSelector, [...path, "namespaceSelector"], true)
    : undefined;
  return ({ namespace, namespaceLabels, serviceAccount, labels }) => {
    // Whatever a namespaced policy says of endpoints is of its own namespace, unless it says which.
    if (inNamespace === undefined ? own !== undefined && namespace !== own : !inNamespace(namespaceLabels))
      return false;
    if (names.length > 0 && !names.includes(serviceAccount)) return false;
    return selector(labels) && !not(labels);
  };
}

function pathPatterns(path: unknown): readonly string[] {
  if (!isRecord(path)) return [];
  if (typeof path.exact === "string") return exactPath(path.exact);
  return typeof path.prefix === "string" ? segmentPrefix(path.prefix) : [];
}

function portSpan(text: string): PortSpan {
  const [from = "", to = from] = text.split(":");
  return /^\d+$/.test(from) && /^\d+$/.test(to) ? [Number(from), Number(to)] : text;
}
