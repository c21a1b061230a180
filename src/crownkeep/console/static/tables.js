// Names the cells of tables by their columns, so that narrow screens can show a row as a stack.
for (const table of document.querySelectorAll(".table-scroll table:not(.context)")) {
  const heads = [...table.querySelectorAll("thead th")];
  if (!heads.length) continue;
  // A table that is shown as blocks would lose its roles.
  table.setAttribute("role", "table");
  for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const row of table.rows) row.setAttribute("role", "row");
  for (const head of heads) head.setAttribute("role", "columnheader");
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.cells].forEach((cell, place) => {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
      const head = heads[place];
      if (head && cell.colSpan === 1 && !head.querySelector(".hidden-to-sight")) cell.dataset.label = head.textContent.trim();
    });
  }
  table.classList.add("stacked");
}
