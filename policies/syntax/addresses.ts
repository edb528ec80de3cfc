import { isIP } from "node:net";
import { printable } from "../printable.ts";
import { type Judged, type Located, parsed, type Reader } from "./readers.ts";

const shown = (given: string): string => `\`${printable(given, 80)}\``;

/** The address of an application: a unix socket's path, or a host and port. */
export const appAddress: Reader<Located<string>> = parsed(
  { expects: "an address", schema: { pattern: "^(unix:/.+|.+:[0-9]+)$" } },
  (given): Judged<string> => {
    const bad = (message: string, hint: string): Judged<string> => ({ ok: false, message, hint });
    if (given.startsWith("unix:")) {
      const path = given.slice(5);
      if (
        !/^\/[\x21-\x7e]+$/.test(path) ||
        path
          .split("/")
          .slice(1)
          .some((part) => part === "" || part === "." || part === "..")
      )
        return bad(`${shown(given)} is not a unix socket's absolute path`, "write `unix:/run/app/app.sock`");
      return path.length > 100
        ? bad("a unix socket's path of more than 100 bytes", "shorten it; the system allows little more")
        : { ok: true, value: given };
    }
    const colon = given.lastIndexOf(":");
    const port = given.slice(colon + 1);
    const host = given.slice(0, colon);
    if (colon < 1 || !/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65535)
      return bad(
        `${shown(given)} is neither \`unix:/path\` nor \`host:port\``,
        "write `unix:/run/app/app.sock` or `127.0.0.1:8080`",
      );
    return isHost(host)
      ? { ok: true, value: given }
      : bad(`${shown(host)} is not a host`, "write an IP address (IPv6 in `[]`) or a host name");
  },
);

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;

function isHost(given: string): boolean {
  if (given.startsWith("[") && given.endsWith("]")) return isIP(given.slice(1, -1)) === 6;
  return isIP(given) === 4 || (HOST_NAME.test(given) && !/^[0-9.]+$/.test(given));
}

/** A host name or IP address as requests carry it: lower case, no port, no trailing dot, IPv6 in brackets. */
export const host: Reader<Located<string>> = parsed({ expects: "a host name" }, (given): Judged<string> => {
  const plain = given
    .toLowerCase()
    .replace(/:[0-9]+$/, "")
    .replace(/\.$/, "");
  if (isHost(given)) return { ok: true, value: given };
  if (given.includes("*"))
    return { ok: false, message: `${shown(given)} is not a host name`, hint: "hosts have no wildcards; list them" };
  const hint =
    isHost(plain) && plain !== given
      ? `write \`${plain}\`: hosts are compared in lower case, without port and trailing dot`
      : undefined;
  return { ok: false, message: `${shown(given)} is not a host name`, hint };
});

/** Where peers reach a sidecar: a host name or an IP address, no port. */
export const peerAddress: Reader<Located<string>> = parsed(
  { expects: "a host name or IP address" },
  (given): Judged<string> =>
    isHost(given) || isIP(given) === 6
      ? { ok: true, value: given }
      : { ok: false, message: `${shown(given)} is not a host name or IP address`, hint: "lower case, without a port" },
);

/** An absolute path of a file or folder. */
export const absolutePath: Reader<Located<string>> = parsed(
  { expects: "an absolute path", schema: { pattern: "^/" } },
  (given): Judged<string> =>
    /^\/[^\0]*$/.test(given) && !given.split("/").includes("..")
      ? { ok: true, value: given }
      : { ok: false, message: `${shown(given)} is not an absolute path` },
);

/** An https URL, kept as written. */
export const httpsUrl: Reader<Located<string>> = parsed(
  { expects: "an https URL", schema: { pattern: "^https://" } },
  (given): Judged<string> => {
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (
      url?.protocol === "https:" &&
      url.username === "" &&
      url.password === "" &&
      url.hash === "" &&
      /^[\x21-\x7e]+$/.test(given)
    )
      return { ok: true, value: given };
    return {
      ok: false,
      message: `${shown(given)} is not an https URL`,
      hint: "`https://`, no credentials, no fragment",
    };
  },
);

/** An IP address and a port to listen on. */
export const listenAddress: Reader<Located<{ readonly host: string; readonly port: number }>> = parsed(
  { expects: "an address to listen on", schema: { pattern: ":[0-9]+$" } },
  (given): Judged<{ readonly host: string; readonly port: number }> => {
    const [, bracketed, plain = "", digits = ""] = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9][0-9]{0,4})$/.exec(given) ?? [];
    const host = bracketed ?? plain;
    const port = Number(digits);
    if (isIP(host) === (bracketed === undefined ? 4 : 6) && port <= 65_535) return { ok: true, value: { host, port } };
    return {
      ok: false,
      message: `${shown(given)} is not an IP address and a port`,
      hint: "write `0.0.0.0:8443` or `[::]:8443`",
    };
  },
);
