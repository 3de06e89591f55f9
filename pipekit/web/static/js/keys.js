// Keys that work anywhere but in a field.
import { openDialog } from "./dialog.js";

const PLACES = { h: "/", m: "/modules", g: "/groups", r: "/runs", c: "/connections" };
const HELP = [
  ["/", "search"],
  ["g h", "home"],
  ["g m", "modules"],
  ["g g", "groups"],
  ["g r", "runs"],
  ["g c", "connections"],
  ["r", "run the module or group in view"],
  ["j k", "down and up in a list"],
  ["x", "tick the row with the focus"],
  ["Ctrl Enter", "show the columns of a query"],
  ["Alt ↑ ↓", "move a member of a group"],
  ["?", "this list"],
];
const SECOND_KEY_WITHIN_MS = 1500;

let firstKeyAt = 0;

// A dialog that was just closed keeps the focus until the next frame; a key pressed by then is for the page.
function isTyping(target) {
  return target.isContentEditable || target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open], .cm-editor") !== null;
}

function press(name) {
  const wanted = document.querySelector(`[data-key="${name}"]:not(:disabled)`);
  if (!wanted) return false;
  if (wanted.matches("input")) {
    wanted.focus();
    wanted.select();
  } else {
    wanted.click();
  }
  return true;
}

/** Leads the focus to the next or the previous row of a list; into it when it is elsewhere. */
function moveInList(step) {
  const links = [...document.querySelectorAll("main table.list tbody tr:not([hidden]) .row-link")];
  const row = document.activeElement.closest?.("tr");
  const now = links.findIndex((link) => link.closest("tr") === row);
  const next = links[now < 0 ? (step > 0 ? 0 : -1) : now + step];
  next?.focus();
  return Boolean(next);
}

function tickRow() {
  const box = document.activeElement.closest?.("tr")?.querySelector("td.pick input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

function showHelp() {
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, words] of HELP) {
    const name = document.createElement("dt");
    for (const part of key.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = part;
      name.append(cap, " ");
    }
    const what = document.createElement("dd");
    what.textContent = words;
    list.append(name, what);
  }
  openDialog("Keys", [list], [{ label: "Close" }]);
}

/** What a key does on this page; false when it does nothing. */
function doHere(key) {
  if (key === "/" || key === "r") return press(key);
  if (key === "j" || key === "k") return moveInList(key === "j" ? 1 : -1);
  return key === "x" && tickRow();
}

export function listenToKeys() {
  document.querySelector("[data-show-keys]")?.addEventListener("click", (event) => {
    event.preventDefault();
    event.target.closest("details").open = false;
    showHelp();
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (Date.now() - firstKeyAt < SECOND_KEY_WITHIN_MS && PLACES[event.key]) {
      firstKeyAt = 0;
      event.preventDefault();
      location.assign(PLACES[event.key]);
    } else if (event.key === "g") {
      firstKeyAt = Date.now();
    } else if (event.key === "?") {
      event.preventDefault();
      showHelp();
    } else if (doHere(event.key)) {
      event.preventDefault();
    }
  });
}
