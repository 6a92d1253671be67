// An open menu closes on Escape and on a click elsewhere.
export function menus() {
  document.addEventListener("click", (event) => close((menu) => !menu.contains(event.target)));
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(() => true));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-print]")) window.print();
  });
}

function close(which) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => which(menu) && menu.removeAttribute("open"));
}

async function copy(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = button.dataset.done;
}
