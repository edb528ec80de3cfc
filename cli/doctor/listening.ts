/** A TCP socket that listens, as the kernel lists it. */
export interface Listening {
  /** Textual IP address. */
  readonly address: string;
  readonly port: number;
  readonly uid: number;
}

const LISTEN_STATE = "0A";

/** Reads `/proc/net/tcp` and `/proc/net/tcp6` (proc_net_tcp in the kernel's documentation); lines that are none are passed over. */
export function parseListening(table: string): readonly Listening[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , uid] = line.trim().split(/\s+/);
    const [hex = "", port = ""] = local.split(":");
    if (state !== LISTEN_STATE || !/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/.test(hex) || !/^[0-9A-F]{4}$/.test(port)) return [];
    return [{ address: addressOf(hex), port: Number.parseInt(port, 16), uid: Number(uid) }];
  });
}

/** Addresses are in words of four bytes, each in the byte order of the host, which is little-endian wherever Envoy runs. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)));
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 255));
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return groups.every((group) => group === "0") ? "::" : groups.join(":").replace(/^(?:0:){7}1$/, "::1");
}

/** Whether only this host, or this network namespace, reaches an address. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
