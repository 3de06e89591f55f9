// What every page loads: finds by data attributes what a part of a page wants, and loads the rest only where it is used.
import { enhanceConfirm } from "./confirm.js";
import { enhanceFields } from "./fields.js";
import { listenToKeys } from "./keys.js";
import { watchRequests } from "./live.js";
import { enhanceLogs } from "./log.js";
import { enhanceRows } from "./rows.js";

async function enhanceHeavy(root) {
  try {
    if (root.querySelector("textarea[data-editor]")) (await import("./editors.js")).enhanceEditors(root);
    if (root.querySelector("[data-chart]")) (await import("./charts.js")).enhanceCharts(root);
  } catch (error) {
    // The textarea and the drawing of the server stay.
    console.warn("assets are not built", error);
  }
}

function enhance(root) {
  enhanceFields(root);
  enhanceRows(root);
  enhanceLogs(root);
  enhanceHeavy(root);
}

listenToKeys();
watchRequests();
enhanceConfirm();
enhance(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
