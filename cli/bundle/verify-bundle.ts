import { printable } from "../../policies/index.ts";
import { type BundleManifest, DOCUMENT_TYPES, type SignedEnvelope } from "../../protocol/index.ts";
import { systemId, verifySignedDocument } from "../../spiffe/index.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";
import type { Anchor } from "./anchor.ts";

/** A bundle's signed manifest, and how the user names the bundle. */
export interface SignedBundle {
  readonly shown: string;
  readonly envelope: SignedEnvelope;
  readonly manifest: BundleManifest;
}

/**
 * Verifies that the mesh's policy signer has signed a bundle, and says on standard error that it did, or that nobody knows.
 * Throws `ERR_CLI_FILE` where it did not.
 *
 * SECURITY: what fails to verify is never read as policies. Without an anchor it is, and the user is told so.
 */
export async function verifyBundle(
  { shown, envelope, manifest }: SignedBundle,
  anchor: Anchor | undefined,
  io: Io,
): Promise<void> {
  const { trustDomain, epoch, revision, issuedAt } = manifest;
  const named = `bundle \`${printable(shown)}\`, revision ${epoch}.${revision} of ${printable(trustDomain, 255)}`;
  if (anchor === undefined) {
    sayUnverified(`the signature of ${named}`, io);
    return;
  }
  const bundle = anchor.bundleOf(trustDomain);
  const verified =
    bundle === undefined
      ? { ok: false as const, message: `no root of \`${printable(trustDomain, 255)}\` is known` }
      : await verifySignedDocument({
          payload: Buffer.from(envelope.payload, "base64url"),
          signature: envelope.signature,
          typ: DOCUMENT_TYPES.bundle,
          signer: systemId(bundle.trustDomain, "policy-signer"),
          bundle,
          at: new Date(issuedAt),
        });
  if (verified.ok) {
    lines(io.stderr, `${named}: signed by its policy signer, by the root of ${anchor.from}`);
    return;
  }
  throw new CliError("ERR_CLI_FILE", `${named} is not what its mesh has signed: ${verified.message}`, {
    hint: `the root is that of ${anchor.from}; name another one with \`--root-file\``,
  });
}

/** Says of a file that carries no signature that it is believed as it is. */
export function sayUnsigned(shown: string, io: Io): void {
  lines(
    io.stderr,
    `${paint(io.stderr, "yellow", "warning")}: \`${printable(shown)}\` carries no signature, so it is believed as it is`,
  );
}

/** Says that something was believed as it is, for want of a root. */
export function sayUnverified(what: string, io: Io): void {
  const hint = "name the mesh's root with `--root-file`, or a state folder with `--state`";
  lines(io.stderr, `${paint(io.stderr, "yellow", "warning")}: ${what} is not verified: no root is known; ${hint}`);
}
