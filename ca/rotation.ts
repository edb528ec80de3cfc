import { type Hierarchy, isPastHalf } from "./hierarchy.ts";

/** Replaces what is past half its life. */
export async function renewAuthorities(hierarchy: Hierarchy, now: Date): Promise<void> {
  for (const what of ["root", "intermediate", "jwt"] as const) {
    if (!hierarchy.all().some((one) => one.role === what && one.state === "active" && isPastHalf(one, now))) continue;
    await hierarchy.prepare(what);
    await hierarchy.activate(what);
  }
  await hierarchy.renewSigner();
}
