// Boxes around names on a picture: drawn with mouse, finger or pen, kept in the form's number fields.
const FIELDS = ["left", "top", "width", "height"];
const SMALLEST = 4;
const MOST = 20;

const area = document.querySelector("[data-boxes]");
const body = document.querySelector("#box-rows tbody");
const clear = document.querySelector("[data-clear]");
if (area && body) start();

function start() {
  let begun = null;
  const image = area.querySelector("img");
  const size = { columns: Number(area.dataset.columns), rows: Number(area.dataset.rows) };
  const drawn = document.createElement("div");
  drawn.className = "box drawing";

  // Where on the picture, in its own pixels.
  const place = (event) => {
    const frame = image.getBoundingClientRect();
    const at = (value, from, length, most) => Math.round(Math.min(Math.max((value - from) / length, 0), 1) * most);
    return {
      x: at(event.clientX, frame.left, frame.width, size.columns),
      y: at(event.clientY, frame.top, frame.height, size.rows),
    };
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    begun = place(event);
    area.append(drawn);
    lay(drawn, between(begun, begun), size);
  });
  area.addEventListener("pointermove", (event) => begun && lay(drawn, between(begun, place(event)), size));
  area.addEventListener("pointerup", (event) => {
    if (!begun) return;
    const box = between(begun, place(event));
    begun = null;
    drawn.remove();
    if (box.width >= SMALLEST && box.height >= SMALLEST) keep(box);
    show(size);
  });
  area.addEventListener("pointercancel", () => {
    begun = null;
    drawn.remove();
  });
  body.addEventListener("input", () => show(size));
  clear.addEventListener("click", () => {
    body.querySelectorAll("input").forEach((input) => (input.value = ""));
    show(size);
  });
  show(size);
}

function between(one, other) {
  const left = Math.min(one.x, other.x);
  const top = Math.min(one.y, other.y);
  return { left, top, width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

// In the first row that is empty; a new one where all are taken.
function keep(box) {
  const rows = [...body.rows];
  let row = rows.find((one) => [...one.querySelectorAll("input")].every((input) => !input.value));
  if (!row) {
    if (rows.length >= MOST) return;
    row = rows[0].cloneNode(true);
    body.append(row);
  }
  FIELDS.forEach((name) => (row.querySelector(`[name=${name}]`).value = box[name]));
}

function show(size) {
  area.querySelectorAll(".box").forEach((box) => box.remove());
  let number = 0;
  for (const row of body.rows) {
    const box = Object.fromEntries(FIELDS.map((name) => [name, Number(row.querySelector(`[name=${name}]`).value)]));
    if (!box.width || !box.height) continue;
    const shown = document.createElement("div");
    shown.className = "box";
    shown.title = `${area.dataset.label} ${++number}`;
    lay(shown, box, size);
    area.append(shown);
  }
  clear.hidden = number === 0;
}

function lay(element, box, size) {
  const part = (value, whole) => `${(100 * value) / whole}%`;
  element.style.left = part(box.left, size.columns);
  element.style.top = part(box.top, size.rows);
  element.style.width = part(box.width, size.columns);
  element.style.height = part(box.height, size.rows);
}
