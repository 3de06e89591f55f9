// Requests of fragments: none from a hidden tab, errors that are told, clocks that go on between two answers.

let notice;

function tell(text) {
  notice?.remove();
  notice = document.createElement("div");
  notice.className = "problem toast";
  notice.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "link";
  close.textContent = "Close";
  close.addEventListener("click", () => notice.remove());
  notice.append(line, close);
  document.body.append(notice);
}

const LEFT_AFTER_MS = 60_000;
let touchedAt = 0;

/** Whether somebody is at work in what would be replaced: the focus would be lost, a text no longer be marked. */
function isInUse(element) {
  const marked = getSelection();
  // A focus that was left there long ago must not stop the page for good.
  const isFocused = element.contains(document.activeElement) && Date.now() - touchedAt < LEFT_AFTER_MS;
  return isFocused || (!marked.isCollapsed && element.contains(marked.anchorNode));
}

function isPoll(element) {
  return element.getAttribute("hx-trigger")?.includes("every") ?? false;
}

function formatSeconds(total) {
  if (total < 60) return `${Math.floor(total)} s`;
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  if (total < 3600) return `${Math.floor(total / 60)}m ${two(total % 60)}s`;
  return `${Math.floor(total / 3600)}h ${two((total % 3600) / 60)}m`;
}

export function watchRequests() {
  for (const type of ["focusin", "keydown", "pointerdown"]) {
    document.addEventListener(type, () => (touchedAt = Date.now()), true);
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    if (isPoll(elt) && (document.hidden || (elt.id === "board" && isInUse(elt)))) event.preventDefault();
  });
  // A form with mistakes comes back as 422 and is shown.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) Object.assign(event.detail, { shouldSwap: true, isError: false });
  });
  document.addEventListener("htmx:responseError", (event) => {
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const text = answer.querySelector(".problem")?.textContent.trim().replace(/\s+/g, " ");
    tell(text || `The server answered ${event.detail.xhr.status}.`);
  });
  // What ended on this page is no longer counted in its bar.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.matches("#run-live, #group-run-live")) htmx.trigger("#bar-status", "refresh");
  });
  document.addEventListener("htmx:sendError", () => tell("The server cannot be reached; it is tried again."));
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400 && notice?.textContent.startsWith("The server cannot")) notice.remove();
  });
  setInterval(() => {
    if (document.hidden) return;
    for (const clock of document.querySelectorAll("[data-since]")) {
      clock.textContent = formatSeconds(Math.max(0, (Date.now() - Date.parse(clock.dataset.since)) / 1000));
    }
  }, 1000);
}
