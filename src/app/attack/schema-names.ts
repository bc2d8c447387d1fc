/** Files whose JSON Schemas `faultline spec --schema` prints: the sidecar, run.json, a line of records.jsonl, summary.json, audit.json, card.json. */
export const schemaNames = ["spec", "run", "record", "summary", "audit", "card"] as const;

export type SchemaName = (typeof schemaNames)[number];
