import { connect } from "node:net";
import type { LintId } from "../../../envoy/lint/index.ts";
import { converse } from "../clients.ts";
import { AUTHORIZATION_HOLES } from "./authorization.ts";
import { type Hole, raw, request } from "./hole.ts";
import { IDENTITY_HOLES } from "./identities.ts";
import { NATIVE_RULE_HOLES } from "./native-rules.ts";
import { REQUEST_HOLES } from "./requests.ts";
import { TOKEN_HOLES } from "./tokens.ts";

export type { Hole, Outcome, Target } from "./hole.ts";

const say =
  (text: string, until?: string): Hole["attack"] =>
  async ({ port }) =>
    (await converse(connect(port, "127.0.0.1"), text, until)).text;

const CONNECTION_HOLES: readonly Hole[] = [
  { id: "banner-before-authorization", tcp: true, attack: say("x"), shows: ({ status }) => status.includes("hello") },
  {
    id: "no-connection-authorization",
    tcp: true,
    authz: "none",
    attack: say("echo", "echo"),
    shows: ({ status }) => status.includes("echo"),
  },
];

/** A security fix of Envoy that the configuration switches off. */
const GUARD: Hole = {
  id: "runtime-guard-off",
  scope: "this Envoy",
  attack: raw(request("GET /public/#x")),
  shows: ({ checks }) => checks > 0,
};

/** The holes that are about traffic, each with a request that goes through. The test's agents allow `/public/` and deny the rest. */
export const HOLES: readonly Hole[] = [
  ...REQUEST_HOLES,
  ...AUTHORIZATION_HOLES,
  ...IDENTITY_HOLES,
  ...NATIVE_RULE_HOLES,
  ...TOKEN_HOLES,
  ...CONNECTION_HOLES,
  GUARD,
];

/** Findings that no request to a listener can prove, and why. */
export const WITHOUT_REQUEST: Readonly<Partial<Record<LintId, string>>> = {
  "unauthorized-paths": "a declaration: what passes is what the user lists",
  "check-deadline": "a pause of the server decides, not a request",
  "check-retry-deadline": "a pause of the server decides, not a request",
  "check-retry-ignored": "the field does nothing",
  "mutations-unvalidated": "only the authorization server's own mistake shows it",
  "http-authorization-service": "what is published of it is a use after free",
  "internal-addresses": "callers of loopback, which all callers of a test are, are internal in any case",
  "control-cluster-exposed": "whoever is on the way, and no caller of a listener",
  "unbounded-streams": "it shows after an hour",
  "idle-streams-kept": "it shows after minutes",
  "late-drain": "it shows when a connection's longest age is over",
  "unbounded-connections": "it shows after an hour",
  "secrets-not-awaited": "it shows 15 s after the start, as resets of every connection",
  "revocation-list-ignored": "the validator takes no list, so nothing differs",
  "rbac-uri-template": "no supported release has the hole any more",
  "rbac-admits-upgrades": "the generated rules are tried in envoy-rbac.test.ts",
  "filter-without-default": "it shows while a server of filters is away",
  "envoy-version": "the release's published holes",
  "admin-exposed": "the admin interface is no listener",
  "admin-on-tcp": "the admin interface is no listener",
  "admin-socket-open": "the mode of a file",
  "no-overload-limit": "it takes more connections than a test may open",
  "port-reusable": "another process of the same user, and no request",
  "no-access-log": "what is missing is a line in a log",
  "secrets-in-access-log": "what is there is a line in a log",
  "unseen-resources": "what is not in the text",
};
