import type { MeshName } from "../../compose/index.ts";

/** What the description of a demo mesh does not hold: who in it was taken over, and who makes traffic by itself. */
export const CAST: Readonly<
  Record<MeshName, { readonly about: string; readonly takenOver: string; readonly busy: string }>
> = {
  shop: {
    about: "Three tiers behind Envoy sidecars, web -> orders -> db, and an intruder.",
    takenOver: "intruder",
    busy: "web",
  },
  boutique: {
    about:
      "Ten services over gRPC, shaped like Online Boutique: their Redis, a load generator, a front door on port 8080.",
    takenOver: "adservice",
    busy: "loadgenerator",
  },
  federated: {
    about: "Two trust domains, federated: a store whose customers pay at a provider. Each has an authority of its own.",
    takenOver: "helpdesk",
    busy: "checkout",
  },
};
