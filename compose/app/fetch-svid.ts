import { createPrivateKey, X509Certificate } from "node:crypto";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata } from "@grpc/grpc-js";

/**
 * Asks the SPIFFE Workload API for this workload's X.509-SVID, as any process with access to the socket can.
 * Reads the first message of `FetchX509SVID` (SPIFFE_Workload_API.md): `svids` = 1 of `x509_svid` = 2, `x509_svid_key` = 3.
 */
export function fetchSvid(socket: string): Promise<{ readonly certificates: string; readonly privateKey: string }> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("workload.spiffe.io", "true");
  const stream = client.makeServerStreamRequest(
    "/SpiffeWorkloadAPI/FetchX509SVID",
    (request: Buffer) => request,
    (response: Buffer) => response,
    Buffer.alloc(0),
    metadata,
    { deadline: Date.now() + 5_000 },
  );
  return new Promise<Buffer>((resolve, reject) => {
    stream.once("data", resolve);
    stream.once("error", reject);
  })
    .then(firstSvid)
    .finally(() => {
      stream.on("error", () => {});
      stream.cancel();
      client.close();
    });
}

function firstSvid(message: Buffer): { readonly certificates: string; readonly privateKey: string } {
  const fields = bytesFields(bytesFields(message).get(1) ?? new Uint8Array());
  const key = createPrivateKey({ key: Buffer.from(fields.get(3) ?? []), format: "der", type: "pkcs8" });
  return {
    certificates: certificatesOf(Buffer.from(fields.get(2) ?? []))
      .map((certificate) => certificate.toString())
      .join(""),
    privateKey: key.export({ format: "pem", type: "pkcs8" }).toString(),
  };
}

/** The first value of each length-delimited field. */
function bytesFields(message: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const reader = new BinaryReader(message);
  const fields = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== 2) reader.skip(wireType);
    else {
      const bytes = reader.bytes();
      if (!fields.has(field)) fields.set(field, bytes);
    }
  }
  return fields;
}

/** Splits concatenated DER certificates: each is a SEQUENCE with a two-byte long-form length. */
function certificatesOf(der: Buffer): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let at = 0; at < der.length; ) {
    const length = 4 + der.readUInt16BE(at + 2);
    certificates.push(new X509Certificate(der.subarray(at, at + length)));
    at += length;
  }
  return certificates;
}
