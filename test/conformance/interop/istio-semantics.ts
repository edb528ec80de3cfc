// A restatement of how Istio decides a request without a token, from the shape of its policies; nothing of the import is used.

/** A request as Istio's proxy sees it. Header names are in lower case. */
export interface IstioRequest {
  readonly transport: "http" | "tcp";
  /** Without `spiffe://`; null of a caller without a certificate. */
  readonly principal: string | null;
  readonly ip: string;
  readonly port: number;
  readonly method: string;
  /** May hold a query. */
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

type Lists = Readonly<Record<string, readonly string[]>>;

/** A rule of an AuthorizationPolicy. */
export interface IstioRule {
  readonly from?: readonly { readonly source: Lists }[];
  readonly to?: readonly { readonly operation: Lists }[];
  readonly when?: readonly {
    readonly key: string;
    readonly values?: readonly string[];
    readonly notValues?: readonly string[];
  }[];
}

/** A policy, and whether it selects the workload that is called. */
export interface IstioPolicy {
  readonly namespace: string;
  readonly action: "ALLOW" | "DENY";
  readonly selects: boolean;
  readonly rules: readonly IstioRule[];
}

/** One question to a request: whether an attribute is like one of the values, or like none. */
interface Test {
  readonly attribute: string;
  readonly values: readonly string[];
  readonly not: boolean;
}

/** What the policies decide. `domains` are the names of the own trust domain. */
export function istioVerdict(
  policies: readonly IstioPolicy[],
  request: IstioRequest,
  domains: readonly string[],
): "allow" | "deny" {
  const selected = policies.filter(({ selects }) => selects);
  const hit = (action: IstioPolicy["action"]): boolean =>
    selected.some((one) => one.action === action && one.rules.some((rule) => ruleHits(one, rule, request, domains)));
  if (hit("DENY")) return "deny";
  return hit("ALLOW") || !selected.some(({ action }) => action === "ALLOW") ? "allow" : "deny";
}

function ruleHits(policy: IstioPolicy, rule: IstioRule, request: IstioRequest, domains: readonly string[]): boolean {
  const from = (rule.from ?? []).map(({ source }) => testsOf(source));
  const to = (rule.to ?? []).map(({ operation }) => testsOf(operation));
  const when = (rule.when ?? []).flatMap(({ key, values, notValues }) => [
    ...(values ? [{ attribute: key, values, not: false }] : []),
    ...(notValues ? [{ attribute: key, values: notValues, not: true }] : []),
  ]);
  const overTcp = request.transport === "tcp";
  // Over TCP an allow that asks for anything of HTTP is no rule, and a deny holds without what it asks of HTTP.
  if (overTcp && policy.action === "ALLOW" && [...from, ...to, when].flat().some(isOfHttp)) return false;
  const holds = (tests: readonly Test[]): boolean =>
    tests.every(
      (test) =>
        (overTcp && isOfHttp(test)) ||
        test.values.some((value) => isLike(test.attribute, value, request, policy.namespace, domains)) !== test.not,
    );
  return (from.length === 0 || from.some(holds)) && (to.length === 0 || to.some(holds)) && holds(when);
}

/** `notPaths` asks what `paths` does, the other way. */
function testsOf(lists: Lists): readonly Test[] {
  return Object.entries(lists).map(([name, values]) => {
    const not = name.startsWith("not");
    return { attribute: not ? `${name.charAt(3).toLowerCase()}${name.slice(4)}` : name, values, not };
  });
}

function isOfHttp({ attribute }: Test): boolean {
  return ["hosts", "methods", "paths"].includes(attribute) || attribute.startsWith("request.headers");
}

function isLike(
  attribute: string,
  value: string,
  request: IstioRequest,
  namespace: string,
  domains: readonly string[],
): boolean {
  switch (attribute) {
    case "principals":
    case "source.principal":
      return spellings(value, domains).some((one) => isText(one, request.principal));
    case "namespaces":
    case "source.namespace":
      return new RegExp(`/ns/${value.replaceAll("*", ".*")}/`).test(request.principal ?? "");
    case "serviceAccounts":
    case "source.serviceAccount": {
      const [of, account] = value.includes("/") ? value.split("/") : [namespace, value];
      return new RegExp(`.+/ns/${of}/(.+/|)sa/${account?.replaceAll(".", "\\.")}(/.+)?$`).test(request.principal ?? "");
    }
    case "ipBlocks":
    case "source.ip":
      return isInBlock(value, request.ip);
    case "ports":
    case "destination.port":
      return Number(value) === request.port;
    case "hosts":
      return isText(value.toLowerCase(), request.host.toLowerCase());
    case "methods":
      return isText(value, request.method);
    case "paths": {
      const path = request.path.replace(/[?#].*$/, "");
      return value.includes("{") ? templateOf(value).test(path) : isText(value, path);
    }
    default: {
      const list = request.headers[attribute.replace(/^request\.headers\[(.*)\]$/, "$1").toLowerCase()];
      return list !== undefined && (value === "*" || isText(value, list.join(",")));
    }
  }
}

/** A principal of a name of the own trust domain stands for all of its names. */
function spellings(principal: string, domains: readonly string[]): readonly string[] {
  const [domain = "", ...rest] = principal.split("/");
  const known = domain === "cluster.local" || domains.some((name) => isText(domain, name));
  if (rest.length !== 4 || domain === "*" || !known) return [principal];
  const isSuffix = (name: string): boolean => domain.startsWith("*") && name.endsWith(domain.slice(1));
  return domains.map((name) => (isSuffix(name) ? principal : [name, ...rest].join("/")));
}

function isText(form: string, text: string | null): boolean {
  if (text === null) return false;
  if (form === "*") return text !== "";
  if (form.startsWith("*")) return text.endsWith(form.slice(1));
  return form.endsWith("*") ? text.startsWith(form.slice(0, -1)) : text === form;
}

/** Of IPv4, and of IPv6 only whole addresses. */
function isInBlock(block: string, address: string): boolean {
  const [base = "", length = "32"] = block.split("/");
  const bits = (text: string): string =>
    text
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  return block.includes(":") || address.includes(":")
    ? block === address
    : bits(base).slice(0, Number(length)) === bits(address).slice(0, Number(length));
}

function templateOf(template: string): RegExp {
  const segment = "[a-zA-Z0-9\\-._~%!$&'()+,;:@]+";
  const text = template
    .split("/")
    .map((part) => {
      if (part === "{*}") return segment;
      return part === "{**}" ? "[a-zA-Z0-9\\-._~%!$&'()+,;:@/]*" : part.replaceAll(".", "\\.");
    })
    .join("/");
  return new RegExp(`^${text}$`);
}
