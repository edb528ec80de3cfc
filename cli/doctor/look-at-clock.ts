import { request } from "node:https";
import { systemReason } from "../cli-error.ts";
import type { Verdict } from "./verdict.ts";

const TIMEOUT_MS = 5_000;
/** A certificate is valid from a minute before its issue: a host that is further behind refuses what it is given. */
const ERROR_SECONDS = 60;
const WARNING_SECONDS = 5;

/** How far this host's clock is from the authority's, by the `date` of an answer, which is exact to a second. */
export async function lookAtClock(
  authority: { readonly url: string; readonly rootPem: string } | undefined,
  clock: () => Date,
): Promise<Verdict> {
  const subject = "host";
  if (authority === undefined)
    return {
      id: "clock",
      state: "skipped",
      subject,
      message: "no authority runs on the state folder, so there is no clock to compare with",
    };
  try {
    const before = clock().getTime();
    const date = await dateOf(authority);
    return clockVerdict((before + clock().getTime()) / 2 - date);
  } catch (error) {
    const reason = systemReason(error) ?? (error instanceof Error ? error.message : String(error));
    return {
      id: "clock",
      state: "warning",
      subject,
      message: `the authority at ${authority.url} does not answer: ${reason}`,
      remedy: "start it: `cellwall up`, or `cellwall authority`; agents decide on what they have, for an hour at most",
    };
  }
}

/** Judges a difference in milliseconds; positive where this host is ahead. */
export function clockVerdict(differenceMs: number): Verdict {
  // The header is cut to whole seconds: on average half of one is missing.
  const seconds = Math.round((differenceMs - 500) / 1000);
  const away = Math.abs(seconds);
  const base = { id: "clock", subject: "host" };
  if (away < WARNING_SECONDS) return { ...base, state: "ok", message: "the clock agrees with the authority's" };
  return {
    ...base,
    state: away < ERROR_SECONDS ? "warning" : "error",
    message: `the clock is ${away} s ${seconds > 0 ? "ahead of" : "behind"} the authority's`,
    remedy: "keep hosts on NTP: certificates, bundles and revocations have instants",
  };
}

function dateOf({ url, rootPem }: { readonly url: string; readonly rootPem: string }): Promise<number> {
  return new Promise((fulfil, reject) => {
    // Nothing secret is sent, so whose certificate of the mesh it is does not matter.
    const options = {
      ca: rootPem,
      agent: false,
      checkServerIdentity: () => undefined,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const asked = request(new URL("/healthz", url), options, (answer) => {
      answer.resume();
      const date = Date.parse(answer.headers.date ?? "");
      if (Number.isNaN(date)) reject(new Error("it sends no date"));
      else fulfil(date);
    });
    asked.on("error", reject);
    asked.end();
  });
}
