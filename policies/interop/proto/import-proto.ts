import { Notes } from "../draft/notes.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer, SourceText } from "../importer.ts";
import { InteropError } from "../interop-error.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { describedWorkload, interfacePolicy } from "../translate/interface.ts";
import { type ProtoService, protoServices } from "./service-blocks.ts";

/**
 * gRPC services of .proto texts as suggested allow lines: one rule a service, one line a method. All of them are of the
 * workload `options.callee`, else of one called like the first service.
 */
export const importProto: Importer = (texts, options) => {
  const notes = new Notes();
  const read = texts.map((text) => ({ text, services: servicesOf(text) }));
  const services = read.flatMap((one) => one.services);
  const described = describedWorkload(services[0]?.name.split(".").at(-1) ?? "grpc", options);
  for (const { text, services: found } of read) noteServices(text, found, notes);
  if ((options.callers ?? []).length === 0)
    notes.add(
      { file: texts[0]?.path ?? "", line: 1, column: 1 },
      "callers",
      "narrower",
      "a description names no callers: registered identities only are let in",
      { scope: "anonymous" },
    );
  const groups = new Map<string, readonly string[]>();
  for (const { name, methods } of services)
    groups.set(name, [...(groups.get(name) ?? []), ...methods.map((method) => `grpc ${name}/${method.name}`)]);
  const policy = interfacePolicy(described, groups, "grpc");
  return { documents: writeDocuments([policy], described.world), report: reportOf(notes.entries) };
};

function servicesOf({ path, text }: SourceText): readonly ProtoService[] {
  const read = protoServices(text);
  if ("message" in read)
    throw new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${path}:${read.line}:${read.column}: ${read.message}`);
  return read;
}

function noteServices({ path: file }: SourceText, services: readonly ProtoService[], notes: Notes): void {
  const place = (of: { readonly line: number; readonly column: number }): SourcePlace => ({
    file,
    line: of.line,
    column: of.column,
  });
  if (services.length === 0)
    notes.add({ file, line: 1, column: 1 }, "services", "unsupported", "there is no service in this text");
  for (const service of services) {
    if (service.methods.length === 0)
      notes.add(place(service), `service ${service.name}`, "unsupported", "a service without methods allows nothing");
    for (const method of service.methods)
      notes.add(place(method), `rpc ${service.name}/${method.name}`, "exact", "the same method");
  }
}
