// Rows of parallel arrays: adding one from its template, ordering them by keys and by drag.

function addRow(button) {
  const name = button.dataset.addRow;
  const box = button.closest(`[data-rows="${name}"]`);
  const template = box?.querySelector(`template[data-row-template="${name}"]`);
  if (!template) return;
  const row = template.content.cloneNode(true);
  for (const part of row.querySelectorAll("[data-needs-script]")) part.hidden = false;
  const place = template.previousElementSibling?.querySelector("tbody");
  const first = row.querySelector("input:not([type=hidden]), select, textarea");
  if (place) place.append(row);
  else template.before(row);
  first?.focus();
}

function renumber(body) {
  const orders = [...body.querySelectorAll("input.order")];
  const numbers = orders.map((input) => Number(input.value) || 0).sort((a, b) => a - b);
  const allEqual = numbers.every((number) => number === numbers[0]);
  orders.forEach((input, place) => {
    input.value = allEqual ? place + 1 : numbers[place];
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Draws the members of one place side by side, as the numbers stand in the table now. */
function drawFlow(body) {
  const flow = document.querySelector("[data-flow]");
  if (!flow) return;
  const rows = [...body.querySelectorAll("[data-row]")];
  const steps = new Map();
  for (const row of rows) {
    const place = Number(row.querySelector("input.order")?.value) || 0;
    steps.set(place, [...(steps.get(place) ?? []), row.dataset.name]);
  }
  flow.hidden = steps.size === rows.length;
  flow.replaceChildren(...[...steps.keys()].sort((a, b) => a - b).map((place) => drawStep(steps.get(place))));
}

function drawStep(names) {
  const step = document.createElement("li");
  for (const name of names) step.append(Object.assign(document.createElement("span"), { textContent: name }));
  return step;
}

function move(row, up) {
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (up) other.before(row);
  else other.after(row);
  renumber(row.parentElement);
}

function makeSortable(body) {
  let dragged = null;
  for (const row of body.querySelectorAll("[data-row]")) row.draggable = Boolean(row.querySelector("input.order"));
  body.addEventListener("keydown", (event) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    const row = event.target.closest("[data-row]");
    if (!row) return;
    event.preventDefault();
    move(row, event.key === "ArrowUp");
    event.target.focus();
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-move]");
    if (!button) return;
    move(button.closest("[data-row]"), button.dataset.move === "up");
    button.focus();
  });
  body.addEventListener("input", () => drawFlow(body));
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-row]");
    event.dataTransfer.effectAllowed = "move";
  });
  body.addEventListener("dragover", (event) => {
    const row = event.target.closest("[data-row]");
    if (!dragged || !row || row === dragged) return;
    event.preventDefault();
    const box = row.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) row.before(dragged);
    else row.after(dragged);
  });
  body.addEventListener("dragend", () => {
    if (dragged) renumber(body);
    dragged = null;
  });
}

export function enhanceRows(root) {
  for (const button of root.querySelectorAll("button[data-add-row]")) {
    button.hidden = false;
    button.addEventListener("click", () => addRow(button));
  }
  root.querySelectorAll("[data-sortable]").forEach(makeSortable);
}
