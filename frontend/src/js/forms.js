// A form that was changed warns before it is left; a form being sent can't be sent twice.
export function forms() {
  let changed = false;
  document.addEventListener("input", (event) => {
    if (event.target.closest("form[data-guard]")) changed = true;
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method === "dialog") return;
    changed = false;
    const button = event.submitter;
    if (button && !event.target.matches("[hx-post]")) setTimeout(() => (button.disabled = true));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.target.closest?.("form[data-guard]") === event.target) changed = false;
  });
  window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
  // A button that fills other fields of its form with what it carries.
  document.querySelectorAll("button[data-fill]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(button.dataset)) {
        const field = button.form?.elements[name.slice(4).toLowerCase()];
        if (name !== "fill" && field) field.value = value;
      }
      button.dispatchEvent(new Event("input", { bubbles: true }));
    });
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("button[disabled]:not([data-off])").forEach((button) => (button.disabled = false));
  });
}
