// The viewer's page: the preview at once, then the engine; toolbar, series, marks and surfaces around the pictures.
import { config, say, send } from "./config.js";
import { ask, h } from "./dom.js";
import { preview, startSeries } from "./preview.js";

const root = document.getElementById("viewer");
const panes = h("div", { class: "panes" });
const before = h("div", { class: "preview", hidden: true });
const stage = h("div", { class: "stage" }, panes, before);
const note = h("p", { class: "note", role: "status" });
const list = h("ul", { class: "marks" });
const unrolled = h("div", {});
const panel = h("section", { class: "surfaces", hidden: !config.surfaces.length });
const bar = h("div", { class: "tools", role: "toolbar", "aria-label": say("tools") });
const progress = h("progress", { max: 1, value: 0, "aria-label": say("loading") });
// A dental arch is about this thick, in mm.
const THICKNESS = 10;
let series = startSeries();
let viewer = null;
let measureOf = () => "";
let sliceLookedAt = () => undefined;

const fail = (words) => {
  note.textContent = words;
  note.classList.add("bad");
};
const tell = (words) => {
  note.textContent = words;
  note.classList.remove("bad");
};

function seriesList() {
  const item = (one) =>
    h("li", {}, h("button", { class: "series", "data-uid": one.uid, "aria-pressed": String(one === series), onclick: () => choose(one) },
      one.previews.thumbnail ? h("img", { src: one.previews.thumbnail.url, alt: "" }) : h("span", { class: "film" }),
      h("span", {}, h("b", {}, one.description || one.modality || say("series")), h("small", {}, [one.modality, one.count, one.state === "ready" ? "" : say(one.state === "failed" ? "failed" : "being_read")].filter(Boolean).join(" · ")))));
  return h("ul", { class: "list" }, ...config.series.map(item));
}

const day = (date) => (date ? new Date(`${date}T12:00`).toLocaleDateString(config.language) : "");

function others() {
  if (config.studies.length < 2) return null;
  return h("nav", { "aria-label": say("studies") }, ...config.studies.map((one) => h("a", { href: one.url, "aria-current": one.pk === config.study.pk ? "page" : null }, [one.description || say("study"), day(one.date)].filter(Boolean).join(" · "))));
}

const TOOLS = [
  ["scroll", "s"], ["crosshair", "c"], ["window", "w"], ["pan", "p"], ["zoom", "z"], ["length", "l"], ["angle", "a"], ["arrow", "y"], ["text", "t"],
];

function toolbar() {
  const isPlanes = viewer.panes.has("axial");
  const drawing = ["length", "angle", "arrow", "text"];
  const button = (name, onclick, extra = {}) => h("button", { class: "button small", "data-name": name, onclick, ...extra }, say(name));
  const tools = TOOLS.filter(([name]) => (name === "crosshair" ? isPlanes : true) && (config.marks.may || !drawing.includes(name)))
    .map(([name, key]) => button(name, () => use(name), { "aria-pressed": String(viewer.tool === name), title: key.toUpperCase(), "aria-keyshortcuts": key }));
  const windows = Object.keys(series.facts.windows ?? {}).map((name, at) => button(`window_${name}`, () => viewer.window(name), { title: String(at + 1) }));
  const ways = series.isVolume
    ? [button(isPlanes ? "slices" : "planes", () => show(!isPlanes), { title: "V" })]
    : [h("span", { class: "why" }, `${say("no_planes")}: ${say(`why_${series.whyNot}`)}`)];
  bar.replaceChildren(
    h("span", { class: "set" }, ...ways),
    h("span", { class: "set" }, ...tools),
    h("span", { class: "set" }, ...windows),
    h("span", { class: "set" }, button("turn_left", () => viewer.turn(-90)), button("turn_right", () => viewer.turn(90)), button("flip", () => viewer.flip()), button("invert", () => viewer.invert()), button("reset", () => viewer.reset(), { title: "0" })),
    isPlanes ? h("span", { class: "set" }, button("panorama", (event) => panorama(event.target), { "aria-pressed": "false" })) : null,
    config.marks.may ? h("span", { class: "set" }, button("key_image", keyImage, { class: "button small primary", title: "K" })) : null,
  );
}

function use(name) {
  viewer.use(name);
  for (const button of bar.querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", String(button.dataset.name === viewer.tool));
}

const isMeasured = (row) => config.series.find((one) => one.pk === row.series)?.facts.spacing?.length > 0;

function marksList() {
  const rows = [...viewer.marks.rows.values()].filter((row) => row.kind !== "fit");
  const item = (row) => h("li", {},
    h("button", { class: "link", onclick: () => (row.kind === "curve" ? unrollAlong(row) : go(row)) }, [config.marks.kinds[row.kind] ?? row.kind, measureOf(row, isMeasured(row))].filter(Boolean).join(": ")),
    h("small", {}, `${row.author} · ${row.at}`),
    row.own && config.marks.may ? h("button", { class: "button small quiet", onclick: () => viewer.marks.remove(row), "aria-label": `${say("remove")} ${config.marks.kinds[row.kind]}` }, say("remove")) : null);
  list.replaceChildren(...(rows.length ? rows.map(item) : [h("li", { class: "soft" }, say("no_marks"))]));
}

async function go(row) {
  await viewer.go(row);
  series = viewer.series;
  pressed();
  toolbar();
  surfacesPanel();
}

function pressed() {
  root.querySelectorAll(".series").forEach((button, at) => button.setAttribute("aria-pressed", String(config.series[at] === series)));
}

async function choose(one) {
  series = one;
  pressed();
  sliceLookedAt = preview(series, before);
  await show(false);
}

async function show(planes, at) {
  curving?.abort();
  unrolled.replaceChildren();
  if (series.state !== "ready") return tell(say(series.state === "failed" ? "failed" : "being_read"));
  tell("");
  const wanted = series;
  try {
    await begun;
    if (wanted !== series) return;
    await viewer.open(series, { planes, at, index: before.hidden ? undefined : sliceLookedAt() });
    before.hidden = true;
    toolbar();
    surfacesPanel();
  } catch (trouble) {
    console.error(trouble);
    fail(say("not_shown"));
  }
}

async function keyImage() {
  const text = await ask(say("ask_key_image"), { ok: say("keep"), cancel: say("cancel"), value: series.description });
  if (text === null) return;
  const { picture, place, view } = await viewer.snapshot();
  const form = new FormData();
  for (const [name, value] of Object.entries({ series: series.pk, instance: place.instance, frame: place.frame, view: JSON.stringify(view), text })) form.append(name, value);
  form.append("image", picture, "key-image.png");
  try {
    await send(config.keyImages.add, form);
    tell(say("key_image_kept"));
  } catch (trouble) {
    fail(trouble.message);
  }
}

let curving = null;

// Pressed once, points are taken on the axial plane; pressed again, or by Enter, the volume is unrolled along them.
async function panorama(button) {
  if (curving) return curving.abort();
  curving = new AbortController();
  button.setAttribute("aria-pressed", "true");
  tell(say("panorama_how"));
  const points = await viewer.curve(curving.signal);
  curving = null;
  button.setAttribute("aria-pressed", "false");
  if (points.length < 3) return tell(say("panorama_short"));
  tell("");
  const data = { points, thickness: THICKNESS };
  draw(data);
  if (!config.marks.may) return;
  try {
    const { mark } = await send(config.marks.url, { kind: "curve", series: series.pk, text: "", data });
    viewer.marks.rows.set(mark.pk, mark);
    marksList();
  } catch (trouble) {
    fail(trouble.message);
  }
}

function draw({ points, thickness }) {
  unrolled.replaceChildren(viewer.panorama(points, thickness, () => unrolled.replaceChildren()));
}

async function unrollAlong(row) {
  await go(row);
  await viewer.whole;
  draw(row.data);
}

function surfacesPanel() {
  if (!config.surfaces.length) return;
  const isPlanes = Boolean(viewer.surfaces);
  const offer = (one) => h("li", {}, h("button", { class: "button small", disabled: !isPlanes, onclick: (event) => surface(one, event.target) }, `${say("show_surface")} ${one.name}`));
  const bones = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: 1, oninput: (event) => viewer.bones(Number(event.target.value)) });
  panel.replaceChildren(h("h2", {}, say("surfaces")), ...(isPlanes ? [h("label", {}, say("bones"), bones)] : []), ...(isPlanes ? [] : [h("p", { class: "soft" }, say(series.isVolume ? "surfaces_in_planes" : "no_planes"))]), h("ul", {}, ...config.surfaces.map(offer)));
}

async function surface(one, button) {
  button.disabled = true;
  try {
    const its = await viewer.surfaces.load(one);
    panel.append(fitting(its));
  } catch (trouble) {
    button.disabled = false;
    fail(trouble.message);
  }
}

// By hand: along and around the patient's own directions; by points: three or more pairs.
function fitting(its) {
  const { surfaces } = viewer;
  const push = (label, act) => h("button", { class: "button small", onclick: act }, label);
  const moves = [["→ L", [1, 0, 0]], ["→ R", [-1, 0, 0]], ["→ P", [0, 1, 0]], ["→ A", [0, -1, 0]], ["→ H", [0, 0, 1]], ["→ F", [0, 0, -1]]];
  const step = h("select", { "aria-label": say("step") }, ...[0.1, 0.5, 1, 5, 20].map((mm) => h("option", { value: mm, selected: mm === 1 }, `${mm} ${say("mm")} / ${mm}°`)));
  const by = () => Number(step.value);
  const told = h("p", { role: "status" });
  return h("fieldset", {}, h("legend", {}, its.one.name), step,
    h("span", { class: "set" }, ...moves.map(([label, way]) => push(label, () => surfaces.move(its, way.map((part) => part * by()))))),
    h("span", { class: "set" }, ...["x", "y", "z"].flatMap((axis, at) => [push(`⟲ ${axis}`, () => surfaces.turn(its, at, by())), push(`⟳ ${axis}`, () => surfaces.turn(its, at, -by()))])),
    h("span", { class: "set" }, push(say("pair"), () => pair(its, told)), push(say("fit_reset"), () => surfaces.reset(its)),
      config.marks.may ? push(say("fit_keep"), () => surfaces.keep(its, series).then(() => tell(say("fit_kept")), (trouble) => fail(trouble.message))) : null),
    told);
}

// A click on the surface, then one on a slice where it belongs.
async function pair(its, told) {
  const clicked = (panes) => new Promise((resolve) => {
    const stop = new AbortController();
    for (const pane of panes) {
      pane.element.addEventListener("click", (event) => {
        stop.abort();
        const box = pane.element.getBoundingClientRect();
        resolve({ pane, at: [event.clientX - box.left, event.clientY - box.top] });
      }, { signal: stop.signal, capture: true });
    }
  });
  const panes = [...viewer.panes.values()];
  told.textContent = say("pair_surface");
  const first = await clicked(panes.filter((pane) => pane.name === "space"));
  const onSurface = viewer.surfaces.pick(its, first.pane.viewport, first.at);
  if (!onSurface) return (told.textContent = say("pair_missed"));
  told.textContent = say("pair_volume");
  const second = await clicked(panes.filter((pane) => pane.name !== "space"));
  const error = viewer.surfaces.pair(its, onSurface, second.pane.viewport.canvasToWorld(second.at));
  told.textContent = error === null ? `${say("pairs")}: ${viewer.surfaces.pairs.length}` : `${say("fit_error")}: ${error.toFixed(2)} ${say("mm")}`;
}

function keys(event) {
  if (!viewer || event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const named = Object.fromEntries(TOOLS.map(([name, key]) => [key, () => use(name)]));
  const windows = Object.keys(series.facts.windows ?? {});
  const all = {
    ...named, ArrowUp: () => viewer.scroll(-1), ArrowDown: () => viewer.scroll(1), PageUp: () => viewer.scroll(-10), PageDown: () => viewer.scroll(10),
    v: () => series.isVolume && show(!viewer.panes.has("axial")), k: () => config.marks.may && keyImage(), i: () => viewer.invert(), f: () => viewer.flip(), r: () => viewer.turn(90), 0: () => viewer.reset(),
    1: () => viewer.window(windows[0]), 2: () => viewer.window(windows[1]), 3: () => viewer.window(windows[2]),
  };
  const act = all[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

root.append(
  bar,
  h("aside", { class: "which" }, others(), seriesList()),
  h("div", { class: "middle" }, stage, unrolled, progress, note, h("p", { class: "small soft" }, say("not_diagnostic"))),
  h("aside", { class: "beside" }, h("h2", {}, say("marks")), list, panel),
);
if (series) sliceLookedAt = preview(series, before);
document.addEventListener("keydown", keys);

const begun = import(config.assets.engine).then(async ({ Engine, measure }) => {
  measureOf = measure;
  viewer = new Engine(panes, { changed: marksList, failed: fail, progress: (part) => { progress.value = part; progress.hidden = part >= 1; } });
  root.viewer = viewer;
  await viewer.begin();
  marksList();
});
if (new URLSearchParams(location.search).has("room")) import("./together.js").then(({ together }) => together({ root, current: () => ({ viewer, series }), choose, show }));
if (series) show(false, config.start?.instance ? config.start : undefined).then(() => root.setAttribute("data-ready", ""));
