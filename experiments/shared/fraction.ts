/** "8/255" or "0.03" as a number. */
export function fraction(text: string): number {
  const [above, below = "1"] = text.split("/");
  return Number(above) / Number(below);
}
