const levels = "▁▂▃▄▅▆▇█";

/** A row of numbers as a line of block characters, the lowest at the bottom; longer rows are averaged down to `width` characters. */
export function sparkline(values: readonly number[], width = 24): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / columns), Math.floor(((i + 1) * values.length) / columns));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means.map((v) => levels[high > low ? Math.round(((v - low) / (high - low)) * (levels.length - 1)) : 0]).join("");
}
