// An open menu closes on Escape and on a click elsewhere; buttons that copy and print.
export function menus() {
  document.addEventListener("click", (event) => {
    close((menu) => !menu.contains(event.target));
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(() => true));
}

function close(which) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!which(menu)) return;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.removeAttribute("open");
  });
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.innerText.trim());
    button.textContent = button.dataset.done;
  } catch {
    getSelection().selectAllChildren(source); // without a clipboard (plain http): at least it is selected
  }
}
