// Says in one comment on a pull request what lint, tests, guardrails, diff and simulation say of its policies. Node's
// built-ins only. `--dry-run` prints the comment and posts nothing; so does a run without GITHUB_TOKEN. Settings come from
// CELLWALL_COMMAND, CELLWALL_FOLDER, CELLWALL_BASE, CELLWALL_LOG, CELLWALL_FAIL_ON, GITHUB_REPOSITORY, GITHUB_API_URL and
// PULL_REQUEST.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

const MARK = "<!-- cellwall -->";
const MAX_COMMENT = 60_000;
const SHOWN = 50;

/** Foreign text as a code span: no markup, no mention, one line, no characters that hide others. */
export function code(text) {
  const safe = String(text)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (each) => `\\u${each.codePointAt(0).toString(16).padStart(4, "0")}`)
    .slice(0, 500);
  const fence = "`".repeat(Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return `${fence} ${safe} ${fence}`;
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function finding({ severity, id, span, message, remedy }) {
  const place = span === undefined ? "" : ` at ${code(`${span.file}:${span.line}`)}`;
  return `- **${severity}** ${code(id)}${place}: ${code(message)}${remedy === undefined ? "" : `\n  - ${code(remedy)}`}`;
}

/** The comment's Markdown: `check` is the JSON of `cellwall check`, the others are Markdown or undefined. */
export function commentOf({ check, diff, simulation }) {
  const diagnostics = (check.diagnostics ?? []).map(({ code: id, hint, ...rest }) => ({ ...rest, id, remedy: hint }));
  const found = [...diagnostics, ...(check.findings ?? [])].filter(({ severity }) => severity !== "info");
  const hidden = found.length - SHOWN;
  const summaries = Object.entries(check.passes ?? {}).flatMap(([name, { summary }]) =>
    summary === undefined ? [] : [`- ${name}: ${code(summary)}`],
  );
  const verdict =
    check.errors > 0 ? count(check.errors, "error") : check.warnings > 0 ? count(check.warnings, "warning") : "ok";
  const parts = [
    MARK,
    `## Cellwall: ${verdict}`,
    summaries.join("\n"),
    found.slice(0, SHOWN).map(finding).join("\n"),
    hidden > 0 ? `… ${hidden} more` : "",
    diff ?? "",
    simulation ?? "",
  ].filter((part) => part !== "");
  const text = parts.join("\n\n");
  return text.length <= MAX_COMMENT ? text : `${text.slice(0, MAX_COMMENT)}\n\n… cut; the job's log has all of it`;
}

/** Runs cellwall; `answered` with 0 and 1, with anything else `stderr` says what was lacking. */
function cellwall(command, args) {
  const [program, ...first] = command.split(" ");
  const { status, stdout, stderr, error } = spawnSync(program, [...first, ...args], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const answered = error === undefined && (status === 0 || status === 1);
  return { answered, status, stdout, stderr: error?.message ?? stderr };
}

/** What `cellwall check` says as JSON, and what it ended with; ends the script where it says nothing. */
function checked(command, args) {
  const { answered, status, stdout, stderr } = cellwall(command, ["check", ...args, "--output", "json"]);
  if (answered) return { status, check: JSON.parse(stdout) };
  throw new Error(`cellwall check failed: ${stderr}`);
}

/**
 * Markdown of a command, or why there is none: a set with errors has no difference, and a base without policies nothing to
 * compare with. `lacking` where it could not be asked, as for a revision that was not fetched.
 */
function markdownOf(command, args) {
  const { answered, stdout, stderr } = cellwall(command, [...args, "--output", "markdown"]);
  if (answered && stdout !== "") return { text: stdout, lacking: false };
  const lines = stderr.trim().split("\n");
  const reason = lines.find((line) => line.startsWith("error: ")) ?? lines[0] ?? "";
  const isNew = args[0] === "diff" && reason.startsWith("error: there are no policies");
  return {
    text: `${args[0]}: ${code(isNew ? `all of it is new: ${reason.slice(7)}` : reason)}`,
    lacking: !answered && !isNew,
  };
}

/** Asks the API; throws with the status where it says no. */
async function ask({ token, api }, path, options = {}) {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: "application/vnd.github+json",
    "content-type": "application/json",
    "x-github-api-version": "2022-11-28",
  };
  const answer = await fetch(`${api}${path}`, { headers, signal: AbortSignal.timeout(30_000), ...options });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

/**
 * Tells the comments that the token has written: by its user, or those of bots where it has none, as in a workflow. Anybody
 * can write one that begins alike, and could then change what it says.
 */
async function ownComments(access) {
  const login = await ask(access, "/user").then(
    (user) => user.login,
    () => undefined,
  );
  return ({ user, body }) =>
    body?.startsWith(MARK) === true && (login === undefined ? user?.type === "Bot" : user?.login === login);
}

/** Writes the comment, or replaces the one that is there already. */
async function post(body, { repository, number, ...access }) {
  const issues = `/repos/${repository}/issues`;
  const isOwn = await ownComments(access);
  let own;
  for (let page = 1; own === undefined; page += 1) {
    const comments = await ask(access, `${issues}/${number}/comments?per_page=100&page=${page}`);
    own = comments.find(isOwn);
    if (comments.length < 100) break;
  }
  const [path, method] =
    own === undefined ? [`${issues}/${number}/comments`, "POST"] : [`${issues}/comments/${own.id}`, "PATCH"];
  await ask(access, path, { method, body: JSON.stringify({ body }) });
}

export async function main(argv, env) {
  const folder = env.CELLWALL_FOLDER || "policies";
  const command = env.CELLWALL_COMMAND || "npx --yes cellwall";
  const failOn = env.CELLWALL_FAIL_ON || "warning";
  const { status, check } = checked(command, [folder, "--fail-on", failOn]);
  const sound = check.diagnostics.every(({ severity }) => severity !== "error");
  const diff =
    sound && env.CELLWALL_BASE ? markdownOf(command, ["diff", `${env.CELLWALL_BASE}:${folder}`, folder]) : undefined;
  const simulation =
    sound && env.CELLWALL_LOG ? markdownOf(command, ["simulate", folder, "--log", env.CELLWALL_LOG]) : undefined;
  const body = commentOf({ check, diff: diff?.text, simulation: simulation?.text });
  process.stdout.write(`${body}\n`);
  const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, PULL_REQUEST: number } = env;
  if (!argv.includes("--dry-run") && token && repository && number)
    await post(body, { repository, number, token, api: env.GITHUB_API_URL || "https://api.github.com" }).catch(
      (error) => {
        // A token that may not comment, as of a fork's pull request, is no finding: the comment is in the job's log.
        process.stderr.write(`warning: the comment was not posted: ${error.message}\n`);
      },
    );
  return diff?.lacking || simulation?.lacking ? 3 : status;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    process.exitCode = await main(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 3;
  }
}
