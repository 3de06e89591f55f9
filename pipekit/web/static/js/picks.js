// Ticking rows: all of them at once, a stretch with Shift, and what shows only while something is ticked.

/** The boxes of a name in a table, but those of rows that a filter hides. */
function listBoxes(table, name) {
  return [...table.querySelectorAll(`tr:not([hidden]) input[type=checkbox][name="${name}"]`)];
}

function tickStretch(boxes, from, to) {
  const [first, last] = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
  if (first >= 0) boxes.slice(first, last + 1).forEach((box) => (box.checked = to.checked));
}

/** What the bar over a list says and offers. */
function showBar(bar, count) {
  bar.classList.toggle("idle", !count);
  bar.classList.toggle("chosen", count > 0);
  bar.inert = !count;
  bar.querySelector("[data-bulk-count]").textContent = count ? `${count} chosen:` : "With the chosen:";
}

function enhanceTable(all) {
  const table = all.closest("table");
  const name = all.dataset.checkAll;
  const bar = document.querySelector(`[data-bulk="${name}"]`);
  let last = null;
  const show = () => {
    const boxes = listBoxes(table, name);
    const checked = boxes.filter((box) => box.checked).length;
    all.checked = boxes.length > 0 && checked === boxes.length;
    all.indeterminate = checked > 0 && !all.checked;
    if (bar) showBar(bar, checked);
  };
  all.hidden = false;
  all.addEventListener("change", () => listBoxes(table, name).forEach((box) => (box.checked = all.checked)));
  table.addEventListener("click", (event) => {
    if (event.target.name !== name) return;
    if (event.shiftKey && last) tickStretch(listBoxes(table, name), last, event.target);
    last = event.target;
  });
  table.addEventListener("change", show);
  // A browser that comes back to a page ticks again what was ticked, after this.
  addEventListener("pageshow", show);
  show();
}

export function enhancePicks(root) {
  root.querySelectorAll("[data-check-all]").forEach(enhanceTable);
}
