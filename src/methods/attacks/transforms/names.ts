/** Every built-in transform by the name that the command line knows. */
export const transformNames = ["gaussian-noise", "brightness-contrast", "shift", "resize-pad"] as const;

export type TransformName = (typeof transformNames)[number];
