import { z } from "zod";
import { publicKeyFingerprint, type TrustBundle } from "../../spiffe/index.ts";
import { type Credential, pinOf } from "./credential.ts";
import type { StateDir } from "./state-dir.ts";

const FILE = "joined.json";
const mark = z.object({ joinToken: z.string(), roots: z.array(z.string()) }).partial();

/** What this agent has joined with: what was used once does not count again. */
export class JoinedMark {
  readonly #files: StateDir;

  constructor(files: StateDir) {
    this.#files = files;
  }

  note(credential: Credential): void {
    const before = this.#read();
    const now =
      credential.kind === "join-token"
        ? { joinToken: credential.token.id }
        : { roots: [...new Set([...(before.roots ?? []), pinOf(credential)])] };
    this.#files.writeJson(FILE, { ...before, ...now });
  }

  /** A join token that this agent has used is not sent again: the authority would raise an alarm. */
  isUsedUp(credential: Credential): boolean {
    return credential.kind === "join-token" && this.#read().joinToken === credential.token.id;
  }

  /**
   * Whether people now vouch for a root that this agent does not know: its own was replaced while it was away.
   *
   * SECURITY: a fingerprint that was used before vouches for nothing any more: the key of its root may be in other hands.
   */
  vouchesForNewRoot(credential: Credential, own: TrustBundle | undefined): boolean {
    if (own === undefined) return false;
    const pin = pinOf(credential);
    if (own.x509Authorities.some((authority) => publicKeyFingerprint(authority) === pin)) return false;
    if (credential.kind === "join-token") return true;
    const { roots } = this.#read();
    return roots !== undefined && !roots.includes(pin);
  }

  #read(): z.infer<typeof mark> {
    const read = mark.safeParse(this.#files.readJson(FILE));
    return read.success ? read.data : {};
  }
}
