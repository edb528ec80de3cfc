import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const MORE = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: db, namespace: data, labels: { app: db } }
spec:
  sidecar:
    address: 127.0.0.1
    listens:
      - { port: 5432, app: "unix:/tmp/db.sock", protocol: tcp }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: live, namespace: data, labels: { app: live } }
spec:
  sidecar:
    address: 127.0.0.1
    listens:
      - { port: 8443, app: "unix:/tmp/live.sock", protocol: http, upgrades: [websocket] }
      - { port: 443, app: "unix:/tmp/edge.sock", protocol: http, clients: public }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: data, labels: { app: web } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: db, namespace: data }
spec:
  protects: { workload: db }
  allow:
    - name: orders
      from:
        - workload: shop/orders
      requests:
        - tcp 5432
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: live, namespace: data }
spec:
  protects: { workload: live }
  allow:
    - name: everyone
      from:
        - anyone: authenticated
      requests:
        - websocket /live
        - grpc shop.Live/Watch
    - name: visitors
      from:
        - anyone: anonymous
      requests:
        - GET /
    - name: until
      from:
        - workload: db
      requests:
        - GET /old
      notAfter: 2027-01-31
      reason: migration
`;

describe("cellwall explain", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    await run(["init"], capturedIo(folder()));
    writeFileSync(join(folder(), "policies/more.yaml"), MORE);
  });

  async function explained(...argv: string[]): Promise<readonly [number, string]> {
    const io = capturedIo(folder());
    const code = await run(["explain", ...argv], io);
    return [code, code === 0 ? (io.out().split("\n")[0] ?? "") : io.err()];
  }

  it.each([
    [["--from", "shop/web", "--to", "orders", "GET /orders/42"], "allow: allowed-by-rule"],
    [["--from", "shop/web", "--to", "orders", "DELETE /orders/42"], "deny: no-rule-matched"],
    [["--from", "shop/web", "--to", "orders", "GET /orders/42?x=1"], "allow: allowed-by-rule"],
    [
      ["--from", "shop/web", "--to", "orders", "POST /orders", "--header", "Content-Type: application/json"],
      "allow: allowed-by-rule",
    ],
    [
      ["--from", "shop/web", "--to", "orders", "POST /orders", "--header", "content-type:text/plain"],
      "deny: no-rule-matched",
    ],
    [["--from", "shop/web", "--to", "orders", "GET /orders/../admin"], "deny: ambiguous-path"],
    [["--from", "shop/web", "--to", "orders", "GET /admin/x"], "deny: denied-by-rule"],
    [["--from", "shop/web", "--to", "orders", "GET /orders/42", "--host", "a,b"], "deny: ambiguous-host"],
    [
      ["--from", "spiffe://mesh.example/shop/nobody", "--to", "orders", "GET /orders/42"],
      "deny: unregistered-identity",
    ],
    [["--from", "spiffe://other.example/x", "--to", "orders", "GET /orders/42"], "deny: untrusted-domain"],
    [["--from", "orders", "--to", "spiffe://mesh.example/data/db", "tcp 5432"], "allow: allowed-by-rule"],
    [["--from", "shop/web", "--to", "db", "tcp"], "deny: no-rule-matched"],
    [["--from", "orders", "--to", "live", "websocket /live"], "allow: allowed-by-rule"],
    [["--from", "orders", "--to", "live", "GET /live"], "deny: no-rule-matched"],
    [["--from", "orders", "--to", "live", "grpc shop.Live/Watch"], "allow: allowed-by-rule"],
    [["--from", "anonymous", "--to", "live", "GET /"], "allow: allowed-by-rule"],
    [["--from", "orders", "--to", "live", "GET /"], "deny: no-rule-matched"],
    [["--from", "db", "--to", "live", "GET /old", "--at", "2027-01-31T23:59:59Z"], "allow: allowed-by-rule"],
    [["--from", "db", "--to", "live", "GET /old", "--at", "2027-02-01T00:00:00Z"], "deny: no-rule-matched"],
  ])("%j gets %s", async (argv, headline) => {
    const [code, first] = await explained(...argv);
    expect([code, first.slice(0, headline.length)]).toEqual([0, headline]);
  });

  it.each([
    [["--from", "web", "--to", "orders", "GET /x"], "`web` could be `data/web` or `shop/web`"],
    [["--from", "nobody", "--to", "orders", "GET /x"], "there is no workload `nobody` in the set"],
    [["--from", "orders", "--to", "db", "nonsense"], "`nonsense` is not a request"],
    [["--from", "orders", "--to", "db", "tcp 70000"], "`70000` is not a port"],
    [["--from", "orders", "--to", "live", "GET /x", "--header", "no-colon"], "`no-colon` is not a header"],
    [["--from", "orders", "--to", "live", "GET /x", "--at", "yesterday"], "`yesterday` is not an instant"],
    [["--from", "orders", "--to", "live", "GET /x", "--claims", "corp={}"], "the mesh has no JWT provider `corp`"],
    [["--from", "orders", "--to", "live", "GET /x", "--address", "home"], "`home` is not an IP address"],
  ])("%j is wrong usage", async (argv, message) => {
    const [code, error] = await explained(...argv);
    expect([code, error]).toEqual([2, expect.stringContaining(message)]);
  });

  it("says where nothing listens on the port", async () => {
    const io = capturedIo(folder());
    const to = (port: string) => run(["explain", "--from", "orders", "--to", "live", "GET /live", "--port", port], io);
    await to("8443");
    expect(io.err()).toBe("");
    await to("9");
    expect(io.err()).toBe("warning: data/live has no listener on port 9, only on 8443, 443\n");
  });

  it("refuses to decide by a set with errors, and shows them", async () => {
    writeFileSync(join(folder(), "policies/broken.yaml"), "kind: Mesh\n");
    const [code, error] = await explained("--from", "shop/web", "--to", "orders", "GET /x");
    expect(code).toBe(1);
    expect(error).toContain("policies/broken.yaml:1:");
    expect(error).toContain("the set has 3 errors");
  });

  it("gives the whole explanation as JSON", async () => {
    const io = capturedIo(folder());
    await run(["explain", "--from", "shop/web", "--to", "orders", "GET /orders/42", "--output", "json"], io);
    expect(JSON.parse(io.out())).toMatchObject({
      decision: {
        verdict: "allow",
        reason: "allowed-by-rule",
        caller: "spiffe://mesh.example/shop/web",
        line: "shop/orders/web-reads-orders#GET|HEAD /orders/{id:int}",
      },
    });
  });
});
