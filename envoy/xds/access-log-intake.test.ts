import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../spiffe/index.ts";

import { AccessLogServiceService as ALS, StreamAccessLogsMessage } from "../gen/envoy/service/accesslog/v3/als.ts";
import { eventually, serveOnSocket } from "../testing/sds-client.ts";
import { type SidecarRefusal, tlsRefusalReason } from "./access-log-entry.ts";
import { AccessLogIntake } from "./access-log-intake.ts";
import { addAccessLogIntake } from "./add-access-log-intake.ts";

const destination = parseSpiffeId("spiffe://cell.test/shop/orders");
const web = "spiffe://cell.test/shop/web";
const now = new Date("2027-01-02T03:04:05.678Z");
const NO_CERTIFICATE =
  "TLS_error:|268435648:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE:TLS_error_end";

function intake(listener?: (refusal: SidecarRefusal) => void) {
  const refusals: SidecarRefusal[] = [];
  const take = listener ?? ((refusal: SidecarRefusal) => refusals.push(refusal));
  return { refusals, log: new AccessLogIntake({ destination, clock: () => now, listener: take }) };
}

const sans = (...uris: string[]) => ({
  subjectAltName: uris.map((value) => ({ san: { $case: "uri" as const, value } })),
});
const place = (address: string, portValue: number) => ({
  address: {
    $case: "socketAddress" as const,
    value: { address, portSpecifier: { $case: "portValue" as const, value: portValue } },
  },
});

interface Entry {
  readonly failure?: string;
  readonly peer?: readonly string[];
  readonly own?: string;
  readonly details?: string;
  readonly status?: number;
  readonly path?: string;
  readonly checked?: boolean;
}

function common(entry: Entry) {
  return {
    downstreamTransportFailureReason: entry.failure ?? "",
    downstreamRemoteAddress: place("::ffff:10.0.0.7", 5000),
    downstreamLocalAddress: place("10.0.0.8", 8443),
    startTime: { seconds: 1_795_415_465n, nanos: 844_753_000 },
    tlsProperties: {
      peerCertificateProperties: sans(...(entry.peer ?? [])),
      ...(entry.own === undefined ? {} : { localCertificateProperties: sans(entry.own) }),
    },
    ...(entry.checked
      ? { metadata: { filterMetadata: new Map([["envoy.filters.http.ext_authz", { decision: "d" }]]) } }
      : {}),
  };
}

function tcp(...entries: Entry[]): Uint8Array {
  const logEntry = entries.map((entry) => ({ commonProperties: common(entry) }));
  return encode({ $case: "tcpLogs", value: { logEntry } });
}

function http(...entries: Entry[]): Uint8Array {
  const logEntry = entries.map((entry) => ({
    commonProperties: common({ own: destination.toString(), peer: [web], ...entry }),
    request: { requestMethod: 1 as const, path: entry.path ?? "/a?secret=1" },
    response: { responseCode: entry.status ?? 400, responseCodeDetails: entry.details ?? "path_normalization_failed" },
  }));
  return encode({ $case: "httpLogs", value: { logEntry } });
}

function encode(logEntries: Parameters<typeof StreamAccessLogsMessage.fromPartial>[0]["logEntries"]): Uint8Array {
  return StreamAccessLogsMessage.encode(StreamAccessLogsMessage.fromPartial({ logEntries })).finish();
}

describe("a refused handshake", () => {
  it("is handed out with port, peer and what the certificate claimed", () => {
    const { refusals, log } = intake();
    log.receive(
      tcp(
        { failure: NO_CERTIFICATE },
        { failure: "", peer: [web] },
        { failure: NO_CERTIFICATE, peer: ["spiffe://x/y"] },
      ),
    );
    expect(refusals).toEqual([
      {
        kind: "connection",
        reason: "no-client-certificate",
        at: new Date(1_795_415_465_844),
        listenerPort: 8443,
        peerAddress: "10.0.0.7",
      },
      expect.objectContaining({ unverifiedPeer: "spiffe://x/y" }),
    ]);
    expect(refusals[1]).not.toHaveProperty("caller");
    expect(log.counts).toEqual({ refusals: 2, others: 1, foreign: 0, failed: 0 });
  });

  it.each([
    [NO_CERTIFICATE, "no-client-certificate"],
    ["TLS_error:|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", "untrusted-certificate"],
    [
      "|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: depth 0",
      "untrusted-certificate",
    ],
    [
      "|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: SAN matcher, certificate SANs are [a]",
      "san-mismatch",
    ],
    [
      "|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: SAN match:TLS_error_end",
      "san-mismatch",
    ],
    [
      "|2:ECDSA routines:OPENSSL_internal:BAD_SIGNATURE|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED",
      "untrusted-certificate",
    ],
    [
      "|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: other [SAN match, :SSL routines:OPENSSL_internal:HTTP_REQUEST]",
      "untrusted-certificate",
    ],
    ["|1:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end", "plaintext"],
    ["|1:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL:TLS_error_end", "protocol"],
    ["|1:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end", "protocol"],
    ["|1:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end", "other"],
    ["connection reset", "other"],
  ])("`%s` is %s", (text, reason) => {
    expect(tlsRefusalReason(text)).toBe(reason);
  });
});

describe("a request that the sidecar refused", () => {
  it("is handed out with the caller that the handshake verified, without the query", () => {
    const { refusals, log } = intake();
    log.receive(http({}));
    expect(refusals).toEqual([
      {
        kind: "request",
        reason: "path_normalization_failed",
        status: 400,
        at: new Date(1_795_415_465_844),
        listenerPort: 8443,
        peerAddress: "10.0.0.7",
        method: "GET",
        path: "/a",
        caller: parseSpiffeId(web),
      },
    ]);
  });

  it("has no caller where the certificate held two identities, none, or the listener was not the mesh's", () => {
    const { refusals, log } = intake();
    log.receive(
      http(
        { peer: [web, "spiffe://cell.test/b"] },
        { peer: [] },
        { peer: ["https://cell.test/web"] },
        { own: "https://shop" },
      ),
    );
    expect(refusals).toHaveLength(4);
    for (const refusal of refusals) expect(refusal).not.toHaveProperty("caller");
  });

  it.each([
    "ext_authz_denied",
    "ext_authz_error",
    "via_upstream",
    "upstream_reset_before_response_started{connection_termination}",
    "no_healthy_upstream",
    "response_timeout",
    "",
  ])("is none where the details are `%s`", (details) => {
    const { refusals, log } = intake();
    log.receive(http({ details, status: 503 }));
    expect([refusals, log.counts.others]).toEqual([[], 1]);
  });

  it("is none where it was checked, or ended well", () => {
    const { refusals, log } = intake();
    log.receive(http({ checked: true }, { status: 200, details: "path_normalization_failed" }));
    expect([refusals, log.counts.others]).toEqual([[], 2]);
  });

  it("carries no text of the caller in its reason", () => {
    const { refusals, log } = intake();
    log.receive(http({ details: "header_rejected{x-evil: <script>}" }, { details: "<script>" }));
    expect(refusals.map((one) => one.reason)).toEqual(["header_rejected", "unknown"]);
  });
});

describe("an entry that does not count", () => {
  it("is one that shows another workload's certificate", () => {
    const { refusals, log } = intake();
    log.receive(http({ own: "spiffe://cell.test/shop/billing" }));
    log.receive(tcp({ failure: NO_CERTIFICATE, own: "spiffe://cell.test/shop/billing" }));
    expect([refusals, log.counts.foreign]).toEqual([[], 2]);
  });

  it("is counted, and the next one is read", () => {
    let calls = 0;
    const { log } = intake(() => {
      calls += 1;
      if (calls === 1) throw new Error("the listener's own");
    });
    log.receive(Uint8Array.of(255, 255));
    log.receive(tcp({ failure: NO_CERTIFICATE }, { failure: NO_CERTIFICATE }));
    expect([calls, log.counts]).toEqual([2, { refusals: 1, others: 0, foreign: 0, failed: 2 }]);
  });

  it("throws nothing, whatever the bytes are", () => {
    const honest = http({});
    const edits = fc
      .array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      .map((list) => {
        const bytes = Uint8Array.from(honest);
        for (const [index, value] of list) bytes[index] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), edits), (bytes) => {
        intake().log.receive(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the access log service", () => {
  it("takes a stream with a message that cannot be decoded in between", async () => {
    const { refusals, log } = intake();
    const server = await serveOnSocket((grpc) => addAccessLogIntake(grpc, log));
    try {
      const call = server.client().makeClientStreamRequest(
        ALS.streamAccessLogs.path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        ALS.streamAccessLogs.responseDeserialize,
        () => undefined,
      );
      for (const bytes of [tcp({ failure: NO_CERTIFICATE }), Uint8Array.of(255), http({})]) call.write(bytes);
      await eventually("both refusals", () => refusals.length === 2);
      expect(log.counts.failed).toBe(1);
      call.end();
    } finally {
      server.stop();
    }
  });
});
