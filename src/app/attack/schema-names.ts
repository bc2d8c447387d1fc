/**
 * Files whose JSON Schemas `faultline spec --schema` prints: the sidecar, run.json, a line of records.jsonl, summary.json, audit.json, card.json, the plan of a
 * sweep.
 */
export const schemaNames = ["spec", "run", "record", "summary", "audit", "card", "sweep"] as const;

export type SchemaName = (typeof schemaNames)[number];
