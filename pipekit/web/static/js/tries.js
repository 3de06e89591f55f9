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
