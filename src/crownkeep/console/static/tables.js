// Names the cells of tables by their columns, so that narrow screens can show a row as a stack.
for (const table of document.querySelectorAll(".table-scroll table")) {
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
      cell.classList.toggle("blank", !cell.childElementCount && !cell.textContent.trim());
    });
  }
  table.classList.add("stacked");
}
// Where rows can be chosen, all of the page can be chosen at once.
const { chooseAll } = document.currentScript.dataset;
for (const scroll of document.querySelectorAll(".table-scroll:has(td.choose input)")) {
  const boxes = [...scroll.querySelectorAll("td.choose input[type=checkbox]")];
  if (boxes.length < 2) continue;
  const label = document.createElement("label");
  const all = document.createElement("input");
  all.type = "checkbox";
  label.className = "choice choose-all";
  label.append(all, ` ${chooseAll}`);
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  scroll.addEventListener("change", () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && !all.checked;
  });
  scroll.before(label);
}
