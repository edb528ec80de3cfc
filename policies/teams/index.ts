/** Teams: who may publish what, and which changes allow more than before. */
export { type Broadening, broadens, type PublishedSet } from "./broadens.ts";
export { checkTeams, type TeamCheck } from "./check-teams.ts";
export { type Team, teamsOf } from "./teams-of.ts";
