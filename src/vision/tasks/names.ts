/**
 * The tasks by name, in the order in which they are listed. Light, because help waits for it; the table in `index.ts` does not compile where it
 * holds another task than these, or not all of them.
 */
export const taskNames = ["classification", "segmentation", "detection", "flow", "disparity", "depth", "restoration"] as const;
export type TaskName = (typeof taskNames)[number];

/** What a command takes a model for where nothing says it: criticality is published for classifiers, and what only looks at pictures takes any. */
export const usualTasks = { criticality: "classification", pictures: "restoration" } as const satisfies Record<string, TaskName>;
