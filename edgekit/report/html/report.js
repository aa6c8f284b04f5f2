"use strict";

// Tables sort by a click on a heading: numbers by the number they begin with, empty cells last.
function sortBy(table, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const isText = head.dataset.sort === "text";
  // No error at all: of a ratio to the error that is the most, of an error the least.
  const exact = head.textContent.startsWith("SQNR") ? Infinity : 0;
  const valueOf = (row) => {
    const text = row.cells[head.cellIndex].textContent.replaceAll(",", "").trim();
    if (isText || text === "") return text;
    return text === "exact" ? exact : Number.parseFloat(text);
  };
  const compare = (one, other) => (isText ? one.localeCompare(other, "en", { numeric: true }) : one - other);
  const isEmpty = (value) => value === "" || Number.isNaN(value);
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row), row]);
  rows.sort(([one], [other]) => {
    if (isEmpty(one) || isEmpty(other)) return isEmpty(one) - isEmpty(other);
    return down ? compare(other, one) : compare(one, other);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    if (head.dataset.sort === "no") continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}

// Whatever belongs to the artifact under the pointer is marked, in tables and pictures alike.
const byKey = Map.groupBy(document.querySelectorAll("[data-k]"), (element) => element.dataset.k);
const readouts = new Map();
for (const figure of document.querySelectorAll(".scatter")) {
  const line = document.createElement("p");
  line.className = "readout soft";
  line.textContent = "Point at a mark, or move to it with Tab, to read it.";
  figure.querySelector("svg").after(line);
  readouts.set(figure, line);
}

let lit = [];
function light(event) {
  for (const element of lit) element.classList.remove("lit");
  const key = event.target.closest("[data-k]")?.dataset.k;
  lit = byKey.get(key) ?? [];
  for (const element of lit) {
    element.classList.add("lit");
    const figure = element.closest(".scatter");
    if (figure) readouts.get(figure).textContent = element.querySelector("title").textContent;
  }
}
for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, light);
