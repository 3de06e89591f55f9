// SQL editors in the place of textareas. The textarea keeps the text: it is what the form sends.
import { attach } from "../build/editor.js";

const nonce = document.querySelector("meta[name=csp-nonce]")?.content ?? "";

function enhanceEditor(textarea) {
  if (textarea.dataset.ready) return;
  textarea.dataset.ready = "1";
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  const run = textarea.dataset.editorRun;
  const editor = attach(textarea, {
    nonce,
    label: label?.textContent.trim() || textarea.getAttribute("aria-label") || "SQL",
    onRun: run ? () => document.querySelector(run)?.click() : undefined,
  });
  // A field that cannot be seen cannot be asked for by the browser; the server asks for it.
  textarea.required = false;
  textarea.hidden = true;
  label?.addEventListener("click", () => editor.focus());
  if (textarea.autofocus) editor.focus();
}

export function enhanceEditors(root) {
  root.querySelectorAll("textarea[data-editor]").forEach(enhanceEditor);
}
