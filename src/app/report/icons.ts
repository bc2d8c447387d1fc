/** Drawn, not typed: not every font has the signs. */
const icon = (path: string, size: number): string =>
  `<svg viewBox="0 0 16 16" width="${size}" height="${size}" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${path}"/></svg>`;

export const arrow = (size = 14): string =>
  `<span class="arrow" role="img" aria-label="to">${icon("M2 8h11M9 4l4 4-4 4", size)}</span>`;

export const marks = {
  passed: icon("M3.5 8.5l3 3 6-7", 14),
  warning: icon("M8 3.5v5M8 12v.2", 14),
  failed: icon("M4.5 4.5l7 7M11.5 4.5l-7 7", 14),
  "not applicable": icon("M4.5 8h7", 14),
} as const;
