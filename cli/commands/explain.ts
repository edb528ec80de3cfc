import { collect, examples, type Register, withOutput, withState } from "../command.ts";
import type { ExplainOptions } from "../explain/options.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { withTrust } from "../trust-options.ts";

/** `cellwall explain`. */
export const registerExplain: Register = (program, { io, action }) => {
  const command = program
    .command("explain")
    .description("say what a request gets, by which line; or which lines come nearest, and what each lacks")
    .argument("[request]", '"GET /orders/42", "grpc shop.Orders/Get", "websocket /live" or "tcp 5432"')
    .option("--from <caller>", "workload, spiffe:// identity, or `anonymous`")
    .option("--to <workload>", "workload, or spiffe:// identity, that is called")
    .option("--decision <id>", "a decision of the log instead of a request")
    .option("--log <file>", "decision log to look into; may be repeated; default: the state folder's", collect, [])
    .option("--header <name:value>", "a header of the request; may be repeated", collect, [])
    .option("--host <name>", "host that the request names; default: the sidecar's address")
    .option("--port <port>", "listener that it arrives at; default: the first that fits")
    .option("--address <ip>", "address of the peer")
    .option("--claims <provider=json>", "payload of a verified token; may be repeated", collect, [])
    .option("--at <instant>", "when, e.g. 2027-01-31T12:00:00Z; default: now")
    .option(
      "--policies <dir>",
      `folder of policies, or of a bundle, whose signature is verified where a root is known; may be repeated (default: ${DEFAULT_POLICY_FOLDER})`,
      collect,
      [],
    );
  examples(
    withOutput(withTrust(withState(command))),
    'explain --from web --to orders "GET /orders/42"',
    'explain --from web --to orders "POST /orders" --header content-type:application/json',
    'explain --from spiffe://partner.example/billing/x --to shop/orders "grpc shop.Orders/GetInvoice"',
    "explain --decision 3q2-7wAAAAAAAAAAAAAAAA",
    'explain --from orders --to db "tcp 5432" --policies policies --policies envs/prod',
  ).action(
    action(async (request: string | undefined, options: ExplainOptions) => {
      const { explainRequest } = await import("../explain/explain-request.ts");
      return explainRequest(request, options, io);
    }),
  );
};
