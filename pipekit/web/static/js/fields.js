// Small help for fields: filters, choices that send their form, tables of fields, forms that are not left by mistake.

function filterRows(input) {
  const rows = () => document.querySelectorAll(`${input.dataset.filter} tbody tr`);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows()) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  if (!("filterKeeps" in input.dataset)) return;
  // What is ticked must not be lost to a page that is loaded anew.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.querySelector(`${input.dataset.filter} tbody tr:not([hidden]) input`)?.focus();
  });
}

function sendOnChange(select) {
  select.addEventListener("change", () => {
    const button = select.dataset.submitOnChange ? document.querySelector(select.dataset.submitOnChange) : undefined;
    select.form.requestSubmit(button ?? undefined);
  });
}

/** Of help that has a part for each choice, shows the one of what is chosen. */
function showChosen(select) {
  const show = () => {
    for (const part of document.querySelectorAll(`${select.dataset.shows} [data-of]`)) part.hidden = part.dataset.of !== select.value;
  };
  select.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}

/** The fields of a column of a table from one field on, downwards. */
function fieldsBelow(input) {
  const cells = [...input.closest("tbody").querySelectorAll(`input[name="${input.name}"]`)];
  return cells.slice(cells.indexOf(input));
}

function makeGrid(table) {
  table.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input:not([type=checkbox])")) return;
    event.preventDefault();
    const cells = [...table.querySelectorAll(`input[name="${event.target.name}"]`)];
    const next = cells[cells.indexOf(event.target) + (event.shiftKey ? -1 : 1)];
    next?.focus();
    next?.select();
  });
  table.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").trimEnd().split(/\r?\n|\t/);
    if (lines.length < 2 || !event.target.matches("input")) return;
    event.preventDefault();
    fieldsBelow(event.target).slice(0, lines.length).forEach((input, place) => {
      input.value = lines[place].trim();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  });
}

/** A button that says what it will do with what stands in the form now. */
function keepSaying(button) {
  const valueOf = (name) => button.form.elements[name]?.value.trim() ?? "";
  const say = () => {
    const told = document.querySelector("[data-dest-is=taken]");
    const target = [valueOf("dest_schema"), valueOf("dest_table")].filter(Boolean).join(".");
    const words = told?.dataset.destName === target ? button.dataset.saysTaken : button.dataset.says;
    const text = words.replace(/\{(\w+)\}(\.)?/g, (_, name, dot) => {
      const value = valueOf(name);
      return value ? value + (dot ?? "") : "";
    });
    button.textContent = text;
  };
  button.form.addEventListener("input", say);
  button.form.addEventListener("htmx:afterSwap", say);
}

function guard(form) {
  let isChanged = false;
  form.addEventListener("input", () => (isChanged = true));
  form.addEventListener("submit", () => (isChanged = false));
  form.addEventListener("draft:kept", () => (isChanged = false));
  addEventListener("beforeunload", (event) => {
    if (isChanged && form.isConnected) event.preventDefault();
  });
}

export function enhanceFields(root) {
  // What was just shown may be such a thing itself.
  const each = (selector, action) => {
    if (root.matches?.(selector)) action(root);
    root.querySelectorAll(selector).forEach(action);
  };
  each("[data-needs-script]", (element) => (element.hidden = false));
  each("[data-hide-with-script]", (element) => (element.hidden = true));
  each("[data-filter]", filterRows);
  each("[data-submit-on-change]", sendOnChange);
  each("select[data-shows]", showChosen);
  each("table[data-grid]", makeGrid);
  each("button[data-says]", keepSaying);
  each("form[data-guard]", guard);
}
