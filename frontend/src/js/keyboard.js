// j and k walk a work-list, Enter opens, / searches, ? shows the keys, Ctrl+Enter sends what is being written.
export function keyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return send(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
    if (event.key === "/") focusSearch(event);
    if (event.key === "?") document.getElementById("shortcuts")?.showModal();
  });
}

function isTyping(target) {
  return target.matches("input, textarea, select, dialog, dialog *, [contenteditable]");
}

function walk(step) {
  const links = [...document.querySelectorAll(".worklist a.open")];
  const row = document.activeElement.closest(".worklist tr")?.querySelector("a.open");
  const at = links.indexOf(row);
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}

function focusSearch(event) {
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
}

function send(event) {
  const form = event.target.closest("form");
  if (form && event.target.matches("textarea")) form.requestSubmit();
}
