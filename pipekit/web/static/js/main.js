// What every page loads: finds by data attributes what a part of a page wants, and loads the rest only where it is used.
import { enhanceConfirm } from "./confirm.js";
import { enhanceDrafts } from "./drafts.js";
import { enhanceFields } from "./fields.js";
import { listenToKeys } from "./keys.js";
import { watchRequests } from "./live.js";
import { enhanceLogs } from "./log.js";
import { enhancePicks } from "./picks.js";
import { enhanceRows } from "./rows.js";
import { listenToTries } from "./tries.js";

async function enhanceHeavy(root) {
  try {
    if (root.querySelector("textarea[data-editor], [data-fault]")) (await import("./editors.js")).enhanceEditors(root);
    if (root.querySelector("[data-chart]")) (await import("./charts.js")).enhanceCharts(root);
  } catch (error) {
    // The textarea and the drawing of the server stay.
    console.warn("assets are not built", error);
  }
}

function enhance(root) {
  enhanceFields(root);
  enhanceRows(root);
  enhancePicks(root);
  enhanceLogs(root);
  enhanceDrafts(root);
  return enhanceHeavy(root);
}

listenToKeys();
watchRequests();
enhanceConfirm();
listenToTries();
// Tests wait for this: from here on every key and button does what its page says.
enhance(document).then(() => (document.documentElement.dataset.ready = "1"));
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
