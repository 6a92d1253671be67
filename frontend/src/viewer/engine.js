// The viewer proper: slices and three planes by cornerstone3D, tools, windows, surfaces over a volume.
import { Enums, RenderingEngine, cache, eventTarget, init, setVolumesForViewports, volumeLoader } from "@cornerstonejs/core";
import * as tools from "@cornerstonejs/tools";
import { ask } from "./dom.js";
import { config, say } from "./config.js";
import { overlay, update } from "./letters.js";
import { Marks } from "./marks.js";
import { begin, fromTheMiddle, pictures } from "./pictures.js";
import { showBones } from "./bones.js";
import { figure, unroll } from "./panorama.js";
import { Surfaces } from "./surfaces.js";

const { ViewportType, OrientationAxis, Events } = Enums;
const { MouseBindings } = tools.Enums;
const ENGINE = "konsilium";
const PLANES = { axial: OrientationAxis.AXIAL, coronal: OrientationAxis.CORONAL, sagittal: OrientationAxis.SAGITTAL };
export const DRAWING = { length: "Length", angle: "Angle", arrow: "ArrowAnnotate", text: "Label" };
const MOVING = { window: "WindowLevel", pan: "Pan", zoom: "Zoom", turn: "PlanarRotate" };

// Without a scale in mm no number is said.
function lengthLines({ cachedStats }, id) {
  const { length, unit } = cachedStats[id] ?? {};
  if (length == null) return [];
  return [unit === "mm" ? `${length.toFixed(1)} ${say("mm")}` : say("no_scale")];
}

export class Engine {
  constructor(place, { changed, failed, progress }) {
    this.place = place;
    this.progress = progress;
    this.failed = failed;
    this.marks = new Marks(changed, failed);
    this.panes = new Map();
  }

  async begin() {
    await init();
    tools.init();
    begin();
    this.engine = new RenderingEngine(ENGINE);
    const named = [tools.WindowLevelTool, tools.PanTool, tools.ZoomTool, tools.PlanarRotateTool, tools.StackScrollTool, tools.LengthTool, tools.AngleTool, tools.ArrowAnnotateTool, tools.LabelTool, tools.CrosshairsTool, tools.TrackballRotateTool];
    named.forEach((tool) => tools.addTool(tool));
    for (const event of [tools.Enums.Events.ANNOTATION_COMPLETED, tools.Enums.Events.ANNOTATION_MODIFIED]) {
      eventTarget.addEventListener(event, ({ detail }) => this.drawn(detail.annotation));
    }
    new ResizeObserver(() => this.engine.resize(true, true)).observe(this.place);
  }

  // Read a series' metadata, and show it as slices or, where it is a volume and wanted so, as three planes.
  async open(series, { planes = false, at, index } = {}) {
    this.series = series;
    this.pictures = await pictures(series);
    this.measured = series.facts.spacing?.length > 0;
    await (planes ? this.showPlanes() : this.showStack(at, index));
    this.marks.show(series, this.pictures.idOf, this.pictures.ids[0]);
    this.engine.render();
  }

  async showStack(at, index) {
    this.clear();
    const pane = this.pane("stack", ViewportType.STACK);
    this.group(["stack"], "slices");
    const { ids } = this.pictures;
    const wanted = at ? ids.indexOf(this.pictures.idOf(at.instance, at.frame)) : -1;
    await pane.viewport.setStack(ids, wanted >= 0 ? wanted : Math.min(index ?? Math.floor(ids.length / 2), ids.length - 1));
    this.firstWindow();
    performance.mark("konsilium-diagnostic");
    this.watch(pane);
    fromTheMiddle(ids, this.progress, ids.indexOf(pane.viewport.getCurrentImageId()));
  }

  async showPlanes() {
    if (!this.series.isVolume) throw new Error(say("no_planes"));
    this.clear();
    for (const name of Object.keys(PLANES)) this.pane(name, ViewportType.ORTHOGRAPHIC, PLANES[name]);
    // Each pane made the ones before it smaller.
    this.engine.resize(true, false);
    const { ids } = this.pictures;
    const id = `cornerstoneStreamingImageVolume:${this.series.uid}`;
    const volume = cache.getVolume(id) ?? (await volumeLoader.createAndCacheVolume(id, { imageIds: ids }));
    this.volume = volume;
    const loaded = fromTheMiddle(ids, this.progress).then(() => volume.load());
    const names = Object.keys(PLANES);
    await setVolumesForViewports(this.engine, [{ volumeId: id }], names);
    this.group(names, "planes");
    this.firstWindow();
    this.panes.forEach((pane) => this.watch(pane));
    this.surfaces = new Surfaces(this, config.surfaces);
    performance.mark("konsilium-planes");
    loaded.then(() => this.engine.render());
    this.whole = loaded;
  }

  bones(part) {
    const pane = this.panes.get("space");
    if (!pane) return;
    showBones(pane.viewport, this.series.facts.windows, part);
    pane.viewport.render();
  }

  // The fourth pane: bones and surfaces in space.
  async showSpace() {
    if (this.panes.has("space")) return this.panes.get("space");
    const pane = this.pane("space", ViewportType.VOLUME_3D, OrientationAxis.CORONAL);
    await setVolumesForViewports(this.engine, [{ volumeId: this.volume.volumeId }], ["space"]);
    showBones(pane.viewport, this.series.facts.windows);
    const group = tools.ToolGroupManager.createToolGroup("space");
    for (const [tool, button] of [["TrackballRotate", MouseBindings.Primary], ["Zoom", MouseBindings.Secondary], ["Pan", MouseBindings.Auxiliary]]) {
      group.addTool(tool);
      group.setToolActive(tool, { bindings: [{ mouseButton: button }] });
    }
    group.addViewport("space", ENGINE);
    this.watch(pane);
    this.engine.resize(true, true);
    pane.viewport.resetCamera();
    this.engine.render();
    return pane;
  }

  pane(name, type, orientation) {
    const element = document.createElement("div");
    element.className = `pane pane-${name}`;
    element.setAttribute("aria-label", say(name));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    this.place.append(element);
    this.place.dataset.panes = this.panes.size + 1;
    this.engine.enableElement({ viewportId: name, element, type, defaultOptions: { background: [0, 0, 0], parallelProjection: true, ...(orientation && { orientation }) } });
    element.addEventListener("pointerdown", () => (this.last = name));
    const pane = { name, element, viewport: this.engine.getViewport(name), over: overlay(element) };
    this.panes.set(name, pane);
    return pane;
  }

  clear() {
    for (const name of ["slices", "planes", "space"]) tools.ToolGroupManager.destroyToolGroup(name);
    for (const name of this.panes.keys()) this.engine.disableElement(name);
    this.panes.clear();
    this.last = null;
    this.surfaces = null;
    this.place.replaceChildren();
  }

  group(viewports, name) {
    const group = tools.ToolGroupManager.createToolGroup(name);
    const answer = (text) => ask(text, { ok: say("keep"), cancel: say("cancel") });
    const asks = { getTextCallback: (done) => answer(say("ask_text")).then((text) => done(text ?? "")), changeTextCallback: (drawn, detail, done) => answer(say("ask_text")).then((text) => done(text ?? drawn.text)) };
    for (const tool of [...Object.values(MOVING), "StackScroll"]) group.addTool(tool);
    group.addTool("Length", { getTextLines: lengthLines });
    group.addTool("Angle", { getTextLines: ({ cachedStats }, id) => (cachedStats[id]?.angle == null ? [] : [`${cachedStats[id].angle.toFixed(1)}°`]) });
    group.addTool("ArrowAnnotate", asks);
    group.addTool("Label", asks);
    if (name === "planes") group.addTool("Crosshairs", { getReferenceLineColor: (id) => ({ axial: "#ffd54a", coronal: "#7fd0a3", sagittal: "#7fb7ee" })[id], getReferenceLineControllable: () => true, getReferenceLineDraggableRotatable: () => false, getReferenceLineSlabThicknessControlsOn: () => false });
    viewports.forEach((viewport) => group.addViewport(viewport, ENGINE));
    // What isn't at least passive draws nothing, marks of yesterday neither.
    for (const tool of Object.values(DRAWING)) group[config.marks.may ? "setToolPassive" : "setToolEnabled"](tool);
    group.setToolActive("Zoom", { bindings: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }] });
    group.setToolActive("Pan", { bindings: [{ mouseButton: MouseBindings.Auxiliary }] });
    group.setToolActive("StackScroll", { bindings: [{ mouseButton: MouseBindings.Wheel }, { numTouchPoints: 3 }] });
    this.tools = group;
    this.use(name === "planes" ? "crosshair" : "scroll");
  }

  // Give the main button (and one finger) to a tool, by our name of it.
  use(name) {
    const all = { ...MOVING, ...DRAWING, scroll: "StackScroll", crosshair: "Crosshairs" };
    const chosen = all[name];
    if (!chosen || !this.tools.getToolInstance(chosen)) return;
    const before = this.tools.getActivePrimaryMouseButtonTool();
    if (before && before !== chosen) this.tools.setToolPassive(before, { removeAllBindings: [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }] });
    if (before === "Crosshairs" && chosen !== before) this.tools.setToolEnabled("Crosshairs");
    this.tools.setToolActive(chosen, { bindings: [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }] });
    this.tool = name;
  }

  window(name) {
    const chosen = this.series.facts.windows[name] ?? this.series.facts.windows.default;
    if (!chosen) return;
    const [centre, width] = chosen;
    for (const { viewport, name: pane } of this.panes.values()) {
      if (pane === "space") continue;
      viewport.setProperties({ voiRange: { lower: centre - width / 2, upper: centre + width / 2 } });
      viewport.render();
    }
  }

  firstWindow() {
    this.window(this.series.facts.windows.bone && this.series.isVolume ? "bone" : "default");
  }

  turn(degrees) {
    this.each((viewport) => viewport.setViewPresentation({ rotation: (viewport.getViewPresentation().rotation + degrees + 360) % 360 }));
  }

  flip() {
    this.each((viewport) => viewport.setCamera({ flipHorizontal: !viewport.getCamera().flipHorizontal }));
  }

  invert() {
    this.each((viewport) => viewport.setProperties({ invert: !viewport.getProperties().invert }));
  }

  reset() {
    this.each((viewport) => {
      viewport.resetCamera();
      viewport.setCamera({ flipHorizontal: false });
      viewport.setProperties({ invert: false });
    });
    this.firstWindow();
  }

  each(change) {
    for (const { viewport, name } of this.panes.values()) {
      if (name === "space") continue;
      change(viewport);
      viewport.render();
    }
  }

  scroll(by) {
    const pane = this.panes.get("stack") ?? this.panes.get("axial");
    tools.utilities.scroll(pane.viewport, { delta: by });
  }

  // Where a mark lies, by what the server calls it.
  where(imageId) {
    return this.pictures.places.get(imageId) ?? { instance: "", frame: 1 };
  }

  drawn(annotation) {
    if (annotation?.data?.handles) this.marks.touch(annotation, this.series, (id) => this.where(id));
  }

  async refreshMarks() {
    await this.marks.reload();
    this.marks.show(this.series, this.pictures.idOf, this.pictures.ids[0]);
    this.engine.render();
  }

  async go(row) {
    const series = config.series.find((one) => one.pk === row.series);
    if (!series) return;
    // Drawn across the slices: only the three planes show it.
    if (!row.instance && series.isVolume && row.data.points) {
      if (this.series !== series || !this.panes.has("axial")) await this.open(series, { planes: true });
      return this.centre(row.data.points[0]);
    }
    if (this.series !== series || !this.panes.has("stack")) return this.open(series, { at: row });
    const at = this.pictures.ids.indexOf(this.pictures.idOf(row.instance, row.frame));
    if (at >= 0) await this.panes.get("stack").viewport.setImageIdIndex(at);
  }

  // Move each plane to the slice that a point lies in.
  centre(point) {
    this.each((viewport) => {
      const { focalPoint, position, viewPlaneNormal: normal } = viewport.getCamera();
      const far = normal.reduce((sum, part, axis) => sum + part * (point[axis] - focalPoint[axis]), 0);
      const moved = (from) => from.map((value, axis) => value + far * normal[axis]);
      viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    });
  }

  // Collect clicks on the axial plane until Enter or `stop`; resolves to points in mm.
  curve(stop) {
    const { element, viewport } = this.panes.get("axial");
    const points = [];
    const canvas = document.createElement("canvas");
    canvas.className = "contours";
    Object.assign(canvas, { width: element.clientWidth, height: element.clientHeight });
    element.append(canvas);
    const ink = canvas.getContext("2d");
    const ended = new AbortController();
    const drop = (event) => event.stopPropagation();
    const add = (event) => {
      const box = element.getBoundingClientRect();
      points.push(viewport.canvasToWorld([event.clientX - box.left, event.clientY - box.top]));
      ink.fillStyle = "#ffd54a";
      ink.fillRect(event.clientX - box.left - 2, event.clientY - box.top - 2, 4, 4);
    };
    const when = { signal: ended.signal, capture: true };
    for (const name of ["mousedown", "touchstart"]) element.addEventListener(name, drop, when);
    element.addEventListener("click", add, when);
    return new Promise((resolve) => {
      const end = () => {
        ended.abort();
        canvas.remove();
        resolve(points);
      };
      stop.addEventListener("abort", end);
      document.addEventListener("keydown", (event) => event.key === "Enter" && end(), { signal: ended.signal });
    });
  }

  // The volume unrolled along a curve, in the axial plane's window.
  panorama(points, thickness, close) {
    return figure(unroll(this.volume, points, thickness), this.panes.get("axial").viewport.getProperties().voiRange, close);
  }

  watch(pane) {
    const isPlaced = this.series.facts.row_direction?.length > 0;
    const refresh = () => {
      update(pane.viewport, pane.over, { isPlaced, isMeasured: this.measured });
      pane.over.facts.textContent = this.facts(pane);
      pane.element.classList.toggle("flipped", Boolean(pane.viewport.getCamera().flipHorizontal));
      this.surfaces?.contour(pane);
    };
    for (const event of [Events.CAMERA_MODIFIED, Events.IMAGE_RENDERED, Events.STACK_NEW_IMAGE]) pane.element.addEventListener(event, refresh);
    refresh();
  }

  facts({ name, viewport }) {
    if (name === "space") return say("space");
    const slice = name === "stack" ? `${viewport.getCurrentImageIdIndex() + 1} / ${this.pictures.ids.length}` : `${say(name)} ${viewport.getSliceIndex() + 1} / ${viewport.getNumberOfSlices()}`;
    const range = viewport.getProperties().voiRange;
    const window = range ? `${say("window")} ${Math.round((range.lower + range.upper) / 2)} / ${Math.round(range.upper - range.lower)}` : "";
    const whose = name === "stack" || name === "axial" ? [config.study.patient, this.series.description] : [];
    return [...whose, slice, window, viewport.getCamera().flipHorizontal ? say("flipped") : ""].filter(Boolean).join(" · ");
  }

  // The value at a place of the picture shown, in the series' own units; what the tests compare with the source.
  value(point) {
    const { viewport } = this.panes.get("stack") ?? this.panes.get("axial");
    const data = viewport.getImageData();
    const [i, j, k] = data.imageData.worldToIndex(point).map(Math.round);
    const [width, height] = data.dimensions;
    return { index: [i, j, k], value: (data.scalarData ?? viewport.csImage?.getPixelData())[i + j * width + (this.panes.has("stack") ? 0 : k * width * height)] };
  }

  // Draw what is seen, with marks and letters, into one picture.
  async snapshot() {
    const pane = this.panes.get(this.last) ?? this.panes.get("stack") ?? this.panes.get("axial");
    const { clientWidth: width, clientHeight: height } = pane.element;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const ink = canvas.getContext("2d");
    ink.drawImage(pane.element.querySelector("canvas.cornerstone-canvas"), 0, 0, width, height);
    const layer = pane.element.querySelector("svg.svg-layer");
    if (layer) {
      const copy = layer.cloneNode(true);
      copy.setAttribute("width", width);
      copy.setAttribute("height", height);
      copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
      const drawn = new Image();
      drawn.src = url;
      await drawn.decode().then(() => ink.drawImage(drawn, 0, 0, width, height)).catch(() => null);
      URL.revokeObjectURL(url);
    }
    ink.fillStyle = "#ffd54a";
    ink.font = "16px sans-serif";
    const { left, right, top, bottom } = pane.over.parts;
    ink.fillText(left.textContent, 8, height / 2);
    ink.fillText(right.textContent, width - 24, height / 2);
    ink.fillText(top.textContent, width / 2, 20);
    ink.fillText(bottom.textContent, width / 2, height - 8);
    const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const imageId = pane.viewport.getCurrentImageId?.() ?? this.pictures.ids[0];
    return { picture, place: this.where(imageId), view: { pane: pane.name, window: pane.viewport.getProperties().voiRange ?? null } };
  }
}

export { measure } from "./marks.js";
