// Which way is which: R and L, A and P, H and F at the edges of a picture, and a bar of known length.
// Asked of the picture as it is shown, so that turning and flipping can't make them lie.
import { say } from "./config.js";
import { h } from "./dom.js";

const AXES = [["L", "R"], ["P", "A"], ["H", "F"]];
const SLANT = 0.3;

export function letters(direction) {
  const length = Math.hypot(...direction) || 1;
  return AXES.map(([plus, minus], axis) => ({ part: Math.abs(direction[axis]) / length, letter: direction[axis] > 0 ? plus : minus }))
    .filter(({ part }) => part > SLANT)
    .sort((one, other) => other.part - one.part)
    .map(({ letter }) => letter)
    .join("");
}

const opposite = { L: "R", R: "L", P: "A", A: "P", H: "F", F: "H" };
const against = (text) => [...text].map((letter) => opposite[letter]).join("");

export function overlay(element) {
  const parts = Object.fromEntries(["left", "right", "top", "bottom"].map((side) => [side, h("span", { class: `side at-${side}` })]));
  const bar = h("span", { class: "scale" }, h("span", {}));
  const facts = h("span", { class: "about" });
  element.append(...Object.values(parts), bar, facts);
  return { parts, bar, facts };
}

export function update(viewport, { parts, bar }, { isPlaced, isMeasured }) {
  const { clientWidth: width, clientHeight: height } = viewport.element;
  if (!width) return;
  const at = (x, y) => viewport.canvasToWorld([x, y]);
  const centre = at(width / 2, height / 2);
  const from = (point) => point.map((value, axis) => value - centre[axis]);
  const right = from(at(width / 2 + 50, height / 2));
  const down = from(at(width / 2, height / 2 + 50));
  const names = isPlaced ? [letters(right), letters(down)] : ["", ""];
  parts.right.textContent = names[0];
  parts.left.textContent = against(names[0]);
  parts.bottom.textContent = names[1];
  parts.top.textContent = against(names[1]);
  const perPoint = Math.hypot(...right) / 50;
  bar.hidden = !isMeasured || !(perPoint > 0);
  if (bar.hidden) return;
  const long = [100, 50, 20, 10, 5, 2, 1].find((mm) => mm / perPoint < height / 3) ?? 1;
  bar.style.height = `${long / perPoint}px`;
  bar.firstChild.textContent = long >= 10 ? `${long / 10} ${say("cm")}` : `${long} ${say("mm")}`;
}
