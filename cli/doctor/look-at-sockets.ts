import { lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import type { Verdict } from "./verdict.ts";

const OTHERS = 0o066;
const WRITABLE = 0o022;
const STICKY = 0o1000;

/** Who else can use a unix socket, or put another in its place. */
export function lookAtSocket(subject: string, what: string, path: string): readonly Verdict[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    return [{ id: `${what}-absent`, state: "note", subject, message: `there is no socket \`${path}\` at the moment` }];
  if (!found.isSocket())
    return [
      { id: `${what}-socket`, state: "error", subject, message: `\`${path}\` is no socket`, remedy: "remove it" },
    ];
  const problems = [...openTo(subject, what, path, found), ...replaceable(subject, what, path)];
  if (problems.length > 0) return problems;
  return [
    {
      id: `${what}-socket`,
      state: "ok",
      subject,
      message: `\`${path}\` is for uid ${found.uid} alone (${octal(found)}${isOpen(found) ? " in a folder that is shut" : ""})`,
    },
  ];
}

/** A socket within a folder that only its owner enters is closed, whatever its own mode. */
function openTo(subject: string, what: string, path: string, found: Stats): readonly Verdict[] {
  const folder = lstatSync(dirname(path), { throwIfNoEntry: false });
  const shut = folder !== undefined && (folder.mode & 0o011) === 0;
  if (!isOpen(found) || shut) return [];
  return [
    {
      id: `${what}-socket`,
      state: "warning",
      subject,
      message: `\`${path}\` is open to others than uid ${found.uid} (${octal(found)})`,
      remedy:
        what === "app"
          ? "whoever opens it goes around the sidecar: give it 0600 and sidecar and app one uid, or a folder of their own"
          : "give it 0600",
    },
  ];
}

function isOpen({ mode }: Stats): boolean {
  return (mode & OTHERS) !== 0;
}

function replaceable(subject: string, what: string, path: string): readonly Verdict[] {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & WRITABLE) !== 0 && (found.mode & STICKY) === 0) {
      const message = `others can put a socket of theirs at \`${path}\`: \`${folder}\` is writable for them (${octal(found)})`;
      return [{ id: `${what}-folder`, state: "error", subject, message, remedy: `chmod go-w ${folder}` }];
    }
    if (folder === dirname(folder)) return [];
  }
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
