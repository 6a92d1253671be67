// Photographs turn and grow under mouse, fingers and keys; arrows and swipes go on to the next. Without scripts links do.
const stage = document.querySelector("[data-stage]");
if (stage) {
  arrows();
  const photo = stage.querySelector("[data-photo]");
  if (photo) looking(photo);
  else swipes(stage.querySelector(".frame:not(.surface)"));
}

function arrows() {
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, video, .surface") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft") go("prev");
    if (event.key === "ArrowRight") go("next");
  });
}

function go(where) {
  const link = document.querySelector(`.stage a[rel=${where}]`);
  if (link) link.click();
}

const FAR = 60;
const LARGEST = 8;

function looking(photo) {
  const image = photo.querySelector("img");
  const at = { turn: 0, scale: 1, x: 0, y: 0 };
  const touching = new Map();
  let begun = null;

  const lay = () => {
    const box = photo.getBoundingClientRect();
    // A picture on its side is fitted by its other edge.
    const sideways = at.turn % 180 !== 0;
    const fit = sideways && image.offsetWidth ? Math.min(box.width / image.offsetHeight, box.height / image.offsetWidth, 1) : 1;
    if (at.scale === 1) at.x = at.y = 0;
    image.style.transform = `translate(${at.x}px, ${at.y}px) rotate(${at.turn}deg) scale(${at.scale * fit})`;
    photo.classList.toggle("larger", at.scale > 1);
  };
  const turn = (degrees) => {
    at.turn = (at.turn + degrees + 360) % 360;
    lay();
  };
  const zoom = (factor) => {
    at.scale = Math.min(Math.max(at.scale * factor, 1), LARGEST);
    lay();
  };
  const fit = () => {
    at.scale = 1;
    lay();
  };
  const does = { left: () => turn(-90), right: () => turn(90), in: () => zoom(1.4), out: () => zoom(1 / 1.4), fit };
  buttons(does);
  const keys = { "+": does.in, "=": does.in, "-": does.out, 0: fit, r: does.right, R: does.left };
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) keys[event.key]();
  });
  photo.addEventListener("dblclick", () => (at.scale > 1 ? fit() : zoom(2)));
  photo.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && at.scale === 1) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    },
    { passive: false },
  );

  photo.addEventListener("pointerdown", (event) => {
    touching.set(event.pointerId, event);
    photo.setPointerCapture(event.pointerId);
    begun = { ...at, pointer: middle(touching), spread: spread(touching) };
  });
  photo.addEventListener("pointermove", (event) => {
    if (!touching.has(event.pointerId)) return;
    touching.set(event.pointerId, event);
    const now = middle(touching);
    if (touching.size > 1) at.scale = Math.min(Math.max((begun.scale * spread(touching)) / begun.spread, 1), LARGEST);
    if (at.scale > 1) {
      at.x = begun.x + now.x - begun.pointer.x;
      at.y = begun.y + now.y - begun.pointer.y;
    }
    lay();
  });
  const ended = (event) => {
    if (!touching.delete(event.pointerId)) return;
    const moved = event.clientX - begun.pointer.x;
    if (event.type === "pointerup" && at.scale === 1 && begun.scale === 1 && touching.size === 0 && Math.abs(moved) > FAR) {
      go(moved > 0 ? "prev" : "next");
    }
    if (touching.size) begun = { ...at, pointer: middle(touching), spread: spread(touching) };
  };
  photo.addEventListener("pointerup", ended);
  photo.addEventListener("pointercancel", ended);
}

function middle(touching) {
  const all = [...touching.values()];
  const mean = (name) => all.reduce((sum, one) => sum + one[name], 0) / all.length;
  return { x: mean("clientX"), y: mean("clientY") };
}

function spread(touching) {
  const [one, other] = touching.values();
  return other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) : 1;
}

function swipes(frame) {
  if (!frame) return;
  let from = null;
  frame.addEventListener("pointerdown", (event) => (from = event.pointerType === "touch" ? event.clientX : null));
  frame.addEventListener("pointerup", (event) => {
    if (from !== null && Math.abs(event.clientX - from) > FAR) go(event.clientX > from ? "prev" : "next");
    from = null;
  });
}

function buttons(does) {
  const tools = document.querySelector("[data-tools]");
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) does[button.dataset.do]();
  });
}
