import type { Cell, Table } from "./tables.js";

const signs: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "\u00a0": "~",
  "–": "--",
  "…": "\\ldots{}",
  "×": "$\\times$",
  "±": "$\\pm$",
  ε: "$\\varepsilon$",
  "−": "$-$",
  "→": "$\\to$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  "∞": "$\\infty$",
  "√": "$\\surd$",
  // At the beginning of a row it would be an argument of the \\ before it.
  "[": "{[}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "''",
};

/** Text with the characters that mean something in LaTeX written out. Line breaks become spaces. */
export const latexText = (text: string): string =>
  text.replace(/[\\{}$&#%_^~\u00a0–…×±ε−→≤≥∞√[<>|"]/g, (c) => signs[c] ?? `\\${c}`).replaceAll(/\s*\n\s*/g, " ");

/** Whether a text holds letters that pdflatex knows none of: what is neither Latin, nor typography. */
export const isBeyondPdflatex = (text: string): boolean =>
  [...text].some((letter) => letter > "\u017f" && !/[\u2010-\u2026\u20ac\s]/.test(letter));

/**
 * A table in the style of the package booktabs, for `\input` in a paper: text left, numbers right, the best of each column bold.
 *
 * @param label what `\ref` calls it.
 */
export function tableLatex({ caption, head, rows }: Table, label: string, note: string): string {
  const cell = ({ text, note: own, best }: Cell) => {
    const shown = latexText(own === undefined ? text : `${text} (${own})`);
    return best ? `\\textbf{${shown}}` : shown;
  };
  const line = (cells: readonly string[]) => `    ${cells.join(" & ")} \\\\`;
  return `\\begin{table}
  \\centering
  \\caption{${latexText(caption)}. ${latexText(note)}}
  \\label{${label}}
  \\begin{tabular}{${head.map(({ kind }) => (kind === "number" ? "r" : "l")).join("")}}
    \\toprule
${line(head.map((h) => latexText(h.text)))}
    \\midrule
${rows.map((row) => line(row.map(cell))).join("\n")}
    \\bottomrule
  \\end{tabular}
\\end{table}
`;
}
