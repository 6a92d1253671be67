// Photographs of paper, gathered one by one: shown, ordered, turned and removed before they are sent. Without this script
// the file field takes several at once, in the order in which they were chosen.
const by = (id) => document.getElementById(id);
const form = by("scanning");
const field = by("photos");
const camera = by("camera");
const list = by("sheets");
const telling = by("telling");
const most = Number(form.dataset.most);
let sheets = [];

function tell(text) {
  telling.textContent = text;
  telling.hidden = !text;
}

function add(files) {
  const fits = [...files].slice(0, most - sheets.length);
  tell(fits.length < files.length ? telling.dataset.tooMany : "");
  sheets.push(...fits.map((file) => ({ file, turn: 0, address: URL.createObjectURL(file) })));
  show();
}

function show() {
  const gathered = new DataTransfer();
  for (const { file } of sheets) gathered.items.add(file);
  field.files = gathered.files;
  by("turns").value = sheets.map(({ turn }) => turn).join(",");
  list.replaceChildren(...sheets.map(drawn));
}

function drawn(sheet, number) {
  const row = by("sheet").content.firstElementChild.cloneNode(true);
  const image = row.querySelector("img");
  [image.src, image.alt, image.className] = [sheet.address, String(number + 1), `turned-${sheet.turn}`];
  row.addEventListener("click", ({ target }) => change(sheet, number, target.closest("button")?.dataset.do));
  return row;
}

function change(sheet, number, what) {
  if (!what) return;
  if (what === "turn") sheet.turn = (sheet.turn + 1) % 4;
  if (what === "away") {
    URL.revokeObjectURL(sheet.address);
    sheets = sheets.filter((one) => one !== sheet);
  }
  const beside = number + { up: -1, down: 1 }[what];
  if (sheets[beside] && sheets[number] === sheet) [sheets[number], sheets[beside]] = [sheets[beside], sheet];
  show();
}

form.querySelector("[data-with-script]").hidden = false;
field.closest(".field").hidden = true;
field.required = false;
form.querySelector("[data-take]").addEventListener("click", () => camera.click());
form.querySelector("[data-choose]").addEventListener("click", () => field.click());
camera.addEventListener("change", () => {
  add(camera.files);
  camera.value = "";
});
field.addEventListener("change", () => {
  add(field.files);
});
form.addEventListener("submit", () => tell(telling.dataset.sending));
