import { meshDocuments, type PolicyInShort, type WorkloadInShort } from "./mesh-documents.ts";

/** A set with one caller and `count - 1` destinations, each of which it may read. */
export function manyWorkloads(count: number): string {
  const destinations = Array.from({ length: count - 1 }, (_, index) => `app-${index + 1}`);
  return meshDocuments({
    workloads: Object.fromEntries(["web", ...destinations].map((name) => [name, labelled(name)])),
    policies: Object.fromEntries(destinations.map((name) => [name, POLICY])),
  });
}

const labelled = (name: string): WorkloadInShort => ({ labels: { app: name } });

const POLICY: PolicyInShort = {
  allow: { "web-reads": { from: "web", requests: ["GET|HEAD /orders/{id:int}", "GET /static/**"] } },
  deny: { "nobody-administers": { requests: ["ANY /admin/**"] } },
};
