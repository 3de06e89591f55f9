// SQL editors in the place of textareas. The textarea keeps the text: it is what the form sends.
import { attach } from "../build/editor.js";

const nonce = document.querySelector("meta[name=csp-nonce]")?.content ?? "";

const editors = new WeakMap();

/** Marks where the database saw a fault, as the part of the page that was just shown says. */
function markFault(root) {
  const textarea = document.querySelector("textarea[data-editor-run]");
  const editor = editors.get(textarea);
  if (!editor) return;
  const told = root.querySelector("[data-fault]");
  // The server counts characters, a text here has units of which some characters take two.
  const before = told ? [...textarea.value].slice(0, Number(told.dataset.fault) - 1).join("") : "";
  editor.markFault(told ? before.length : null);
}

function enhanceEditor(textarea) {
  if (textarea.dataset.ready) return;
  textarea.dataset.ready = "1";
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  const run = textarea.dataset.editorRun;
  const height = textarea.clientHeight;
  const editor = attach(textarea, {
    nonce,
    label: label?.textContent.trim() || textarea.getAttribute("aria-label") || "SQL",
    onRun: run ? () => document.querySelector(run)?.click() : undefined,
  });
  // A field that cannot be seen cannot be asked for by the browser; the server asks for it.
  editors.set(textarea, editor);
  textarea.required = false;
  textarea.hidden = true;
  // As tall as what it takes the place of: nothing below it moves while the page loads.
  const shown = textarea.parentElement.querySelector(".cm-scroller");
  if (height && shown) shown.style.minHeight = `${height}px`;
  label?.addEventListener("click", () => editor.focus());
  if (textarea.autofocus) editor.focus();
}

export function enhanceEditors(root) {
  root.querySelectorAll("textarea[data-editor]").forEach(enhanceEditor);
  markFault(root);
}
