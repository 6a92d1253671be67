// In a session's room: what one of those present looks at, everybody looks at; told over a channel of this browser.
import { config } from "./config.js";

const LOOK_MS = 250;
const SHOWN_MS = 2500;

export function together({ root, current, choose, show }) {
  const channel = new BroadcastChannel(`konsilium-room-${new URLSearchParams(location.search).get("room")}`);
  let last = "";
  let isFollowing = false;
  let known = null;
  const dot = document.createElement("span");
  dot.className = "others-pointer";
  dot.hidden = true;
  root.append(dot);
  let fading = 0;

  function view() {
    const { viewer, series } = current();
    const stack = viewer?.panes.get("stack");
    if (!stack) return viewer?.panes.get("axial") ? { series: series.uid, planes: true } : null;
    const range = stack.viewport.getProperties().voiRange;
    return { series: series.uid, slice: stack.viewport.getCurrentImageIdIndex(), window: range ? [Math.round(range.lower), Math.round(range.upper)] : null };
  }

  async function follow(wanted) {
    isFollowing = true;
    try {
      const one = config.series.find(({ uid }) => uid === wanted.series);
      if (!one) return;
      if (current().series !== one) await choose(one);
      const { viewer } = current();
      if (Boolean(wanted.planes) !== viewer.panes.has("axial")) await show(Boolean(wanted.planes));
      const stack = viewer.panes.get("stack");
      if (!stack) return;
      if (wanted.window) stack.viewport.setProperties({ voiRange: { lower: wanted.window[0], upper: wanted.window[1] } });
      await stack.viewport.setImageIdIndex(wanted.slice);
      stack.viewport.render();
    } finally {
      last = JSON.stringify(view());
      isFollowing = false;
    }
  }

  // A place in the picture, in parts of its pane: panes differ in size.
  function point([x, y]) {
    const pane = current().viewer?.panes.values().next().value;
    if (!pane) return;
    const [outer, box] = [root.getBoundingClientRect(), pane.element.getBoundingClientRect()];
    dot.style.left = `${box.left - outer.left + x * box.width}px`;
    dot.style.top = `${box.top - outer.top + y * box.height}px`;
    dot.hidden = false;
    clearTimeout(fading);
    fading = setTimeout(() => (dot.hidden = true), SHOWN_MS);
  }

  const marks = () => [...(current().viewer?.marks.rows.keys() ?? [])].sort().join();

  async function refresh() {
    await current().viewer?.refreshMarks();
    known = marks();
  }

  channel.onmessage = ({ data }) => {
    if (data.to !== "viewer") return;
    if (data.view) follow(data.view).catch(() => {});
    if (data.pointer) point(data.pointer);
    if (data.marks) refresh().catch(() => {});
  };
  root.addEventListener("pointermove", (event) => {
    const pane = current().viewer?.panes.values().next().value;
    if (!pane || !pane.element.contains(event.target)) return;
    const box = pane.element.getBoundingClientRect();
    channel.postMessage({ to: "room", pointer: [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((part) => Math.round(part * 1000) / 1000) });
  });
  setInterval(() => {
    if (isFollowing || !root.hasAttribute("data-ready")) return;
    const seen = JSON.stringify(view());
    if (seen !== last && seen !== "null") {
      last = seen;
      channel.postMessage({ to: "room", view: view() });
    }
    if (known !== null && marks() !== known) channel.postMessage({ to: "room", marks: String(Date.now()) });
    known = marks();
  }, LOOK_MS);
  const ready = setInterval(() => {
    if (!root.hasAttribute("data-ready")) return;
    clearInterval(ready);
    last = JSON.stringify(view());
    channel.postMessage({ to: "room", ready: true });
  }, 100);
}
