// Trying one watermark: sends its row and the query, shows what comes of it under the row.

function collect(button) {
  const row = button.closest("[data-row]");
  const values = {};
  for (const field of row.querySelectorAll("[name]")) {
    if (field.type !== "checkbox") values[field.name] = field.value;
  }
  for (const name of ["query", "source_query"]) {
    const query = button.form.elements[name];
    if (query) values.query = query.value;
  }
  // Where the dest is: it may be yet to be made.
  for (const name of ["dest_id", "dest_schema", "dest_table"]) {
    const field = button.form.elements[name];
    if (field) values[name] = field.value;
  }
  const makes = button.form.querySelector("input[type=checkbox][name=create_table]");
  if (makes) values.create_table = makes.checked ? "1" : "0";
  return values;
}

async function tryOut(button) {
  const box = button.parentElement.querySelector(".tried");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    // Not the button's own request: HTMX would send the whole form along.
    await htmx.ajax("POST", button.dataset.try, { target: box, values: collect(button) });
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

export function listenToTries() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-try]");
    if (button) tryOut(button);
  });
}
