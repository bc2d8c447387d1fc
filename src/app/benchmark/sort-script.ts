/**
 * Sorts tables of the class `sortable` where a heading is clicked, or chosen by the keyboard (headings are buttons): numbers by their value, largest first,
 * cells without one last; texts by their letters. The next click turns the order round. It is all the script that the page has.
 */
export const sortScript = `
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const numbers = head.dataset.kind === "number";
    const down = head.ariaSort ? head.ariaSort === "ascending" : numbers;
    for (const other of heads) other.ariaSort = null;
    head.ariaSort = down ? "descending" : "ascending";
    const valueOf = (row) => {
      const cell = row.cells[column];
      if (!numbers) return cell.textContent;
      return cell.dataset.v === undefined ? undefined : Number(cell.dataset.v);
    };
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: valueOf(row) }));
    const names = new Intl.Collator("en", { numeric: true });
    rows.sort((a, b) => {
      if (a.value === undefined || b.value === undefined) return (a.value === undefined) - (b.value === undefined);
      const order = numbers ? a.value - b.value : names.compare(a.value, b.value);
      return down ? -order : order;
    });
    table.tBodies[0].append(...rows.map(({ row }) => row));
  }));
}
`;
