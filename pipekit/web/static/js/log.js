// A live log: follows its end unless the reader scrolled up or paused it, and marks what is searched for.

let isPaused = false;
let wanted = "";
let kept = { top: 0, follows: true };

const END_WITHIN_PX = 24;
const MOST_MARKS = 500;

function findLog() {
  return document.querySelector("pre[data-log]");
}

function isAtEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < END_WITHIN_PX;
}

function mark(log) {
  const text = log.textContent;
  log.replaceChildren(text);
  if (!wanted) return;
  const folded = text.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = folded.indexOf(wanted); at >= 0 && parts.length < 2 * MOST_MARKS; at = folded.indexOf(wanted, from)) {
    const found = document.createElement("mark");
    found.textContent = text.slice(at, at + wanted.length);
    parts.push(text.slice(from, at), found);
    from = at + wanted.length;
  }
  log.replaceChildren(...parts, text.slice(from));
}

export function enhanceLogs(root) {
  const log = root.matches?.("pre[data-log]") ? root : root.querySelector("pre[data-log]");
  if (log && !log.dataset.ready) {
    log.dataset.ready = "1";
    if (wanted) mark(log);
    log.scrollTop = kept.follows ? log.scrollHeight : kept.top;
    log.addEventListener("scroll", () => {
      kept = { top: log.scrollTop, follows: isAtEnd(log) };
    });
  }
  const search = root.querySelector("[data-log-search]");
  if (search && wanted) search.value = wanted;
  search?.addEventListener("input", () => {
    wanted = search.value.trim().toLowerCase();
    const shown = findLog();
    if (!shown) return;
    mark(shown);
    shown.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  });
  const pause = root.querySelector("[data-log-pause]");
  pause?.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
  });
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (isPaused && event.detail.target?.matches("pre[data-log]")) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target?.matches?.("pre[data-log]")) enhanceLogs(document);
});
