// The wizard's drafts. HTMX keeps the form while somebody types; here: the address, and a tab that is closed in between.

function showAddress(line) {
  history.replaceState(history.state, "", line.dataset.draft);
}

function keep(line) {
  const form = line.closest("form");
  let typed = 0;
  let sent = 0;
  let kept = 0;
  // A page that came of a form can be loaded again and come back to without sending the form again.
  if ("kept" in line.dataset) showAddress(line);
  form.addEventListener("input", () => {
    typed += 1;
    line.textContent = "Not kept yet.";
  });
  form.addEventListener("submit", () => (kept = typed));
  line.addEventListener("htmx:beforeRequest", () => (sent = typed));
  line.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== line || !event.detail.successful) return;
    kept = sent;
    if (kept === typed) form.dispatchEvent(new CustomEvent("draft:kept"));
  });
  line.addEventListener("htmx:afterSwap", () => {
    // An empty form is no draft, and has nothing to say.
    if (line.textContent.trim()) showAddress(line);
  });
  addEventListener("pagehide", () => {
    if (kept !== typed && form.isConnected) navigator.sendBeacon(line.getAttribute("hx-post"), new FormData(form));
  });
}

export function enhanceDrafts(root) {
  root.querySelectorAll("[data-draft]").forEach(keep);
}
