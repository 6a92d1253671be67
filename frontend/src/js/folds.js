// A part of a page that comes anew by itself leaves open what somebody opened in it. (What has an id keeps the
// keyboard's focus by htmx itself.)
export function folds() {
  let opened = [];
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    opened = [...detail.target.querySelectorAll("details[id][open]")].map((fold) => fold.id);
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of opened.splice(0)) document.getElementById(id)?.setAttribute("open", "");
  });
}
