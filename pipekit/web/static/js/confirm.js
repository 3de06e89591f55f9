// Asks before a form with data-confirm, or sent by a button with it, is sent; data-confirm-name must be typed.
import { openDialog } from "./dialog.js";

const confirmed = new WeakSet();

function ask(form, submitter, source) {
  const text = document.createElement("p");
  text.textContent = source.dataset.confirm;
  const content = [text];
  const name = source.dataset.confirmName;
  let typed;
  if (name) {
    const label = document.createElement("label");
    label.append(`Type ${name} to go on `);
    typed = document.createElement("input");
    typed.autocomplete = "off";
    label.append(typed);
    content.push(label);
  }
  const button = submitter?.textContent.trim() || "Go on";
  const go = () => {
    confirmed.add(form);
    form.requestSubmit(submitter ?? undefined);
  };
  const dialog = openDialog(button, content, [{ label: "Keep it" }, { label: button, className: "danger", action: go }]);
  const last = dialog.querySelector("button.danger");
  if (typed) {
    last.disabled = true;
    typed.addEventListener("input", () => {
      last.disabled = typed.value.trim() !== name;
    });
    typed.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !last.disabled) last.click();
    });
    typed.focus();
  }
}

export function enhanceConfirm() {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const source = event.submitter?.dataset.confirm ? event.submitter : form;
      if (!source.dataset.confirm || confirmed.delete(form)) return;
      event.preventDefault();
      event.stopPropagation();
      ask(form, event.submitter, source);
    },
    true,
  );
}
