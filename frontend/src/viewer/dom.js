// Make elements: h("button", { class: "button", onclick }, "Text"). Attributes that are false or null are left out.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

// Ask for a short text; resolves to it, or to null when the person thinks better of it.
export function ask(question, { ok, cancel, value = "" }) {
  return new Promise((resolve) => {
    const input = h("input", { type: "text", maxlength: 300, "aria-label": question, value });
    const dialog = h(
      "dialog",
      { class: "ask" },
      h(
        "form",
        { method: "dialog" },
        h("p", {}, question),
        input,
        h("div", { class: "row" }, h("button", { class: "button primary", value: "ok" }, ok), h("button", { class: "button", value: "", formnovalidate: true }, cancel)),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "ok" && input.value.trim() ? input.value.trim() : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
