const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"];

/**
 * The environment for Envoy and for what fetches it: only what a program needs to start.
 * SECURITY: a join token in our own environment must not be readable in a sidecar's.
 */
export function processEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
  more: readonly string[] = [],
): Record<string, string> {
  const passed = [...PASSED_ON, ...more].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(passed);
}
