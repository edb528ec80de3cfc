import { printable } from "../../policies/index.ts";
import type { CaStatus, RotationStatus } from "../../protocol/index.ts";
import { columns } from "../screen.ts";
import { span } from "./span.ts";

const MOST_LAGGARDS = 20;

const PHASES: Readonly<Record<RotationStatus["phase"], string>> = {
  distributing: "waits until its anchor is in every live sidecar",
  probing: "waits until every live sidecar has taken a handshake",
  replacing: "signs; waits until nothing of the old one is in use",
  outlasting: "signs; the old one is believed until its certificates are over",
};

/** One replacement under way, and who holds it up. */
export function laggardLines(one: RotationStatus, now: CaStatus["now"]): readonly string[] {
  const until = one.until === undefined ? "" : `, at the latest ${span(one.until, now)}`;
  const shown = one.laggards.slice(0, MOST_LAGGARDS);
  const hidden = one.laggards.length - shown.length;
  return [
    `  ${one.what}: ${PHASES[one.phase]} (since ${span(one.since, now)}${until})`,
    ...columns(
      shown.map(({ node, reason, workload }) => [printable(node), printable(workload ?? "-"), printable(reason, 1024)]),
      "    ",
    ),
    ...(hidden > 0 ? [`    and ${hidden} more`] : []),
  ];
}
