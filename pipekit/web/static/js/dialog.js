// A modal dialog that is made when it is needed and gone when it is closed.

/** Shows a dialog; `buttons` are `{label, className, action}`, the first one is what Esc does. */
export function openDialog(title, content, buttons) {
  const dialog = document.createElement("dialog");
  const head = document.createElement("h2");
  head.id = "dialog-title";
  head.textContent = title;
  dialog.setAttribute("aria-labelledby", head.id);
  const row = document.createElement("div");
  row.className = "form-actions";
  for (const { label, className = "", action } of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.className = className;
    button.addEventListener("click", () => {
      dialog.close();
      action?.();
    });
    row.append(button);
  }
  dialog.append(head, ...content, row);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
