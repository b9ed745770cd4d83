// Turns the table of the path's steps into a slider that shows one step at a time beside the start.
// Without this script the table is all there is, and it says the same.
(() => {
  "use strict";
  const place = document.getElementById("path");
  const table = document.querySelector("table.path-steps");
  if (!place || !table) {
    return;
  }
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(table.tBodies[0].rows);
  const text = (row, column) => rows[row].cells[column].textContent.trim();

  const make = (name, words, attributes) => {
    const element = document.createElement(name);
    element.textContent = words || "";
    Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };

  const label = make("label", "Step along the path, from the old weights to the model's", { for: "path-step" });
  const slider = make("input", "", {
    id: "path-step", type: "range", min: "0", max: String(rows.length - 1), step: "1",
  });
  const said = make("output", "", { for: "path-step" });
  const grid = make("div", "", { class: "path-grid" });

  const group = (name, title, unit) => {
    const columns = heads.map((head, at) => at).filter((at) => heads[at].dataset.group === name);
    if (columns.length === 0) {
      return [];
    }
    const part = make("table");
    const head = part.createTHead().insertRow();
    [title, "Start", unit].forEach((words, at) =>
      head.append(make("th", words, at ? { scope: "col", class: "num" } : { scope: "col" })));
    const body = part.createTBody();
    const cells = columns.map((column) => {
      const row = body.insertRow();
      row.append(make("th", heads[column].textContent, { scope: "row" }));
      row.append(make("td", text(0, column), { class: "num" }));
      const cell = make("td", "", { class: "num" });
      row.append(cell);
      return [cell, column];
    });
    grid.append(part);
    return cells;
  };

  const cells = [
    ...group("figure", "Figure", "Here"),
    ...group("band", "Share of parties", "Here"),
    ...group("weight", "Weight", "Here"),
  ];

  const show = () => {
    const at = Number(slider.value);
    const step = text(at, 0);
    said.textContent = `t = ${step}`;
    slider.setAttribute("aria-valuetext", `step ${step}`);
    cells.forEach(([cell, column]) => {
      cell.textContent = text(at, column);
      const unknown = cell.textContent === "–";
      cell.classList.toggle("moved", !unknown && cell.textContent !== text(0, column));
    });
  };

  const chosen = rows.findIndex((row) => row.classList.contains("chosen"));
  slider.value = String(chosen < 0 ? 0 : chosen);
  slider.addEventListener("input", show);
  place.append(label, slider, said, grid);
  show();
})();
