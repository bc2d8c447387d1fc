/** The layouts' names, for help texts that load nothing else. */
export const layoutNames = ["uniform", "rectangular", "curvilinear", "elliptic"] as const;

export type LayoutName = (typeof layoutNames)[number];
