import type { StarterFile } from "../starter-set.ts";
import type { ComposePlan, PlannedCall, PlannedWorkload } from "./plan.ts";

const SCHEMA_LINE = "# yaml-language-server: $schema=node_modules/cellwall/docs/schema/cellwall.schema.json";

/** The policy set of a plan: everything in monitor, and what the compose file shows of who calls whom as rules. */
export function composePolicies(
  plan: ComposePlan,
  { namespace, trustDomain }: { readonly namespace: string; readonly trustDomain: string },
): readonly StarterFile[] {
  return [
    { name: "mesh.yaml", text: mesh(namespace, trustDomain) },
    { name: "workloads.yaml", text: workloads(plan, namespace) },
    { name: "access.yaml", text: access(plan, namespace) },
  ]
    .filter(({ text }) => text !== "")
    .map(({ name, text }) => ({ name, text: `${SCHEMA_LINE}\n${text}` }));
}

const mesh = (name: string, trustDomain: string): string => `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: ${name} }
spec:
  trustDomain: ${trustDomain}
  # Nothing is denied for want of a rule: the decision log says what would be. \`mode: enforce\` in a Workload begins with that one.
  defaultMode: monitor
`;

function workloads({ project, workloads }: ComposePlan, namespace: string): string {
  const documents = workloads.map((workload) => {
    const { name, service, uid } = workload;
    return `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec:
  attest: [{ socket: { uid: ${uid} } }]
  sidecar:
    address: ${service.name}
${section("listens", listens(workload))}${section("calls", workload.calls.map(call))}`;
  });
  return `# The services of ${project.file} that call each other, as workloads. A sidecar shares its app's network: it reaches the app on loopback,
# and the app reaches its peers through its sidecar's ports on loopback.
${documents.join("---\n")}`;
}

function listens({ listens }: PlannedWorkload): readonly string[] {
  return listens.map(({ appPort, meshPort, protocol, speaksFirst }) => {
    const first = speaksFirst === undefined ? "" : `, speaksFirst: ${speaksFirst}`;
    return `      - { port: ${meshPort}, app: "127.0.0.1:${appPort}", protocol: ${protocol}${first} }\n`;
  });
}

function call({ callee, meshPort, localPort, hints }: PlannedCall): string {
  const names = [...new Set(hints.map(({ setting }) => setting.name))].join(", ");
  return `      # ${names}\n      - { workload: ${callee}, port: ${meshPort}, local: "127.0.0.1:${localPort}" }\n`;
}

const section = (key: string, entries: readonly string[]): string =>
  entries.length === 0 ? "" : `    ${key}:\n${entries.join("")}`;

function access({ workloads }: ComposePlan, namespace: string): string {
  const documents = workloads.flatMap((callee) =>
    callee.listens.length === 0 ? [] : [policy(callee, workloads, namespace)],
  );
  if (documents.length === 0) return "";
  return `# Who may call whom, as far as the compose file shows it. Each rule is as wide as a rule gets: put the methods and paths that the
# decision log shows in its place before you enforce it.
${documents.join("---\n")}`;
}

const WIDE = `        # cellwall:ignore every-method to be narrowed to what the decision log shows
        # cellwall:ignore every-path to be narrowed to what the decision log shows
`;

function policy(callee: PlannedWorkload, workloads: readonly PlannedWorkload[], namespace: string): string {
  const rules = callee.listens.map((listen) => {
    const callers = workloads.filter(({ calls }) =>
      calls.some((call) => call.callee === callee.name && call.meshPort === listen.meshPort),
    );
    const request = listen.protocol === "http" ? `${WIDE}        - ANY /**` : `        - tcp ${listen.meshPort}`;
    const several = callee.listens.length > 1 ? `-at-${listen.appPort}` : "";
    return `    - name: as-composed${several}
      reason: proposed from the compose file
      from:
${callers.map(({ name }) => `        - workload: ${name}\n`).join("")}${several === "" || listen.protocol === "tcp" ? "" : `      ports: [${listen.meshPort}]\n`}      requests:
${request}
`;
  });
  return `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: ${callee.name}, namespace: ${namespace} }
spec:
  protects: { workload: ${callee.name} }
  owner: ${namespace}
  allow:
${rules.join("")}`;
}
