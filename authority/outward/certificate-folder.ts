import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { AuthorityError } from "../authority-error.ts";

/** Certificate chain and key as PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
  /** Changes whenever one of the files does. */
  readonly version: string;
}

/** Reads `tls.crt` and `tls.key` of a folder and sees that they fit; `ERR_AUTHORITY_CERTIFICATE`. */
export function readCertificateFolder(folder: string): CertificatePair {
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  try {
    const version = Object.values(files).map(fingerprintOf).join(",");
    const pair = { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8"), version };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AuthorityError(
      "ERR_AUTHORITY_CERTIFICATE",
      `the certificate in \`${folder}\` cannot be used: ${reason}`,
      {
        hint: "put the chain into `tls.crt` and its key into `tls.key`, both PEM",
        cause: error,
      },
    );
  }
}

function fingerprintOf(path: string): string {
  const { ino, mtimeMs, size } = statSync(path);
  return `${ino}:${mtimeMs}:${size}`;
}
