// The first second: what the server drew beforehand, at once, to scroll through but not to measure on. It stays until
// the first diagnostic picture stands behind it.
import { config, say } from "./config.js";
import { h } from "./dom.js";

// Returns a function that tells which slice of the series is looked at, from 0.
export function preview(series, place) {
  const sheets = Object.keys(series.previews).filter((name) => name.startsWith("mosaic_"));
  const name = series.previews.mosaic_bone ? "mosaic_bone" : sheets[0];
  const { layout } = series;
  const label = h("p", { class: "not-diagnostic" }, say("preview"));
  place.hidden = false;
  if (!name || !layout.slices?.length) {
    place.replaceChildren(label, h("p", {}, say("loading")));
    return () => undefined;
  }
  const canvas = h("canvas", { width: layout.width, height: layout.height, class: "film" });
  const slider = h("input", {
    type: "range", min: 0, max: layout.slices.length - 1, value: Math.floor(layout.slices.length / 2), "aria-label": say("slice"),
    oninput: () => draw(),
  });
  const sheet = new Image();
  const draw = () => {
    const at = Number(slider.value);
    const x = (at % layout.columns) * layout.width;
    const y = Math.floor(at / layout.columns) * layout.height;
    canvas.getContext("2d").drawImage(sheet, x, y, layout.width, layout.height, 0, 0, layout.width, layout.height);
  };
  sheet.onload = () => {
    draw();
    performance.mark("konsilium-first-picture");
  };
  sheet.src = series.previews[name].url;
  const window = (of) => h("button", { class: "button small", onclick: () => (sheet.src = series.previews[of].url) }, say(of.replace("mosaic", "window")));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    slider.value = Number(slider.value) + Math.sign(event.deltaY);
    draw();
  });
  const planes = ["coronal", "sagittal"]
    .filter((plane) => series.previews[plane])
    .map((plane) => h("img", { src: series.previews[plane].url, alt: say(plane), class: "film" }));
  place.replaceChildren(h("div", { class: planes.length ? "pre three" : "pre" }, h("div", { class: "sheet" }, canvas), ...planes), slider, h("div", { class: "set" }, label, ...(sheets.length > 1 ? sheets.map(window) : [])));
  return () => layout.slices[Number(slider.value)];
}

export const startSeries = () =>
  config.series.find((one) => one.pk === config.start?.series) ??
  [...config.series].filter((one) => one.state === "ready").sort((one, other) => other.isVolume - one.isVolume || other.count - one.count)[0] ??
  config.series[0];
