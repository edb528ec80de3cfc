import { extension, get, got, type Hole, overTls, reached } from "./hole.ts";

interface Rule {
  readonly permission?: object;
  readonly principal?: object;
  readonly more?: object;
  readonly action?: "ALLOW" | "DENY";
}

/** A listener that only Envoy's own rules guard. */
const guardedBy = ({ permission = { any: true }, principal = { any: true }, more = {}, action = "ALLOW" }: Rule) => ({
  left: true as const,
  authz: "none" as const,
  filters: (_check: object, router: object) => [
    extension("envoy.filters.http.rbac", "filters.http.rbac.v3.RBAC", {
      rules: { action, policies: { p: { permissions: [permission], principals: [principal], ...more } } },
    }),
    router,
  ],
});
const validated = (principal: object): Pick<Hole, "tls"> & ReturnType<typeof guardedBy> => ({
  ...guardedBy({ principal }),
  tls: ({ ca }) => ({
    require_client_certificate: true,
    common_tls_context: { validation_context: { trusted_ca: { inline_string: ca.rootPem } } },
  }),
});
const ADMIN = "spiffe://shop.example/shop/admin";
const equals = (one: object, value: string) => ({
  call_expr: { function: "_==_", args: [one, { const_expr: { string_value: value } }] },
});
const header = (name: string) => ({
  call_expr: {
    function: "_[_]",
    args: [
      { select_expr: { operand: { ident_expr: { name: "request" } }, field: "headers" } },
      { const_expr: { string_value: name } },
    ],
  },
});

/** Envoy's own rules, which are not what they look like. */
export const NATIVE_RULE_HOLES: readonly Hole[] = [
  {
    id: "rbac-path-unguarded",
    ...guardedBy({ permission: { url_path: { path: { prefix: "/public/" } } } }),
    hcm: { normalize_path: true },
    attack: get("/public/%2e%2e;x/admin"),
    shows: got(({ url }) => url.startsWith("/public/..;x")),
  },
  {
    id: "rbac-header-regex",
    upTo: 38,
    ...guardedBy({
      permission: { header: { name: "x-role", string_match: { safe_regex: { regex: "admin.*" } } } },
      action: "DENY",
    }),
    attack: get("/admin", { "x-role": "admin\u00ff" }),
    shows: reached,
  },
  {
    id: "rbac-principal-name",
    ...validated({ authenticated: { principal_name: { exact: ADMIN } } }),
    // Authorization and logs call this caller by its first name.
    attack: overTls((ca) => ca.issue({ uris: ["spiffe://shop.example/shop/web", ADMIN] })),
    shows: reached,
  },
  {
    id: "rbac-condition-ignored",
    ...guardedBy({ more: { checked_condition: { expr: { const_expr: { bool_value: false } } } } }),
    attack: get("/admin"),
    shows: reached,
  },
  {
    id: "rbac-condition-headers",
    ...guardedBy({ more: { condition: equals(header("x-role"), "admin") }, action: "DENY" }),
    attack: get("/admin", { "x-role": ["admin", "guest"] }),
    shows: reached,
  },
];
