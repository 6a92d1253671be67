// Writing a conclusion: recommendations as rows that come, go and move; phrases put where the words are written.
document.querySelectorAll("[data-items]").forEach(items);
document.querySelectorAll("[data-phrases]").forEach(phrases);

function items(list) {
  const rows = () => [...list.querySelectorAll("[data-item]")];
  const field = (row) => row.querySelector("textarea");
  list.querySelectorAll(".item-tools").forEach((tools) => (tools.hidden = false));
  list.addEventListener("input", () => field(rows().at(-1)).value.trim() && more());
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-item]");
    const asked = event.target.closest("button")?.dataset;
    if (!row || !asked) return;
    if ("itemUp" in asked) row.previousElementSibling?.before(row);
    else if ("itemDown" in asked) row.nextElementSibling?.after(row);
    else if ("itemAway" in asked) away(row);
    else return;
    number();
    field(row.isConnected ? row : rows().at(-1)).focus();
    list.dispatchEvent(new Event("input", { bubbles: true }));
  });

  function more() {
    const row = rows().at(-1).cloneNode(true);
    field(row).value = "";
    list.append(row);
    number();
  }

  function away(row) {
    if (rows().length > 1) row.remove();
    else field(row).value = "";
  }

  function number() {
    rows().forEach((row, index) => {
      const text = field(row);
      text.setAttribute("aria-label", text.getAttribute("aria-label").replace(/\d+$/, index + 1));
    });
  }
}

function phrases(panel) {
  const form = panel.closest("form");
  let target = form.querySelector("textarea[name=text]");
  panel.hidden = false;
  form.addEventListener("focusin", (event) => event.target.matches("textarea") && (target = event.target));
  // What is looked for is no change of the conclusion.
  panel.addEventListener("input", (event) => event.stopPropagation());
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    put(button.dataset.insert);
    if (button.dataset.used) count(button.dataset.used);
  });

  function put(words) {
    const field = target.isConnected ? target : form.querySelector("textarea[name=text]");
    const before = field.value.slice(0, field.selectionStart);
    const gap = before && !/\s$/.test(before) ? " " : "";
    field.setRangeText(gap + words, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function count(address) {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
  }
}
