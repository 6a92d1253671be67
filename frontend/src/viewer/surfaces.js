// Intra-oral scans (STL, PLY) over a volume: as lines where a plane cuts them, and as bodies in the fourth pane.
// A fit is a rigid movement of the surface, set by hand or from pairs of points, and kept as a mark.
import vtkActor from "@kitware/vtk.js/Rendering/Core/Actor";
import vtkMapper from "@kitware/vtk.js/Rendering/Core/Mapper";
import vtkPLYReader from "@kitware/vtk.js/IO/Geometry/PLYReader";
import vtkSTLReader from "@kitware/vtk.js/IO/Geometry/STLReader";
import { config, say, send } from "./config.js";
import { apply, aroundCentre, identity, multiply, pairsFit, rotation, translation } from "./rigid.js";

const COLOURS = [[1, 0.84, 0.29], [0.5, 0.82, 0.64], [0.5, 0.72, 0.93], [0.96, 0.6, 0.57]];

export class Surfaces {
  constructor(viewer, offered) {
    this.viewer = viewer;
    this.offered = offered;
    this.loaded = [];
    this.pairs = [];
  }

  async load(one) {
    const answer = await fetch(one.url);
    if (!answer.ok) throw new Error(say("surface_unread"));
    const reader = one.mediaType === "model/ply" ? vtkPLYReader.newInstance() : vtkSTLReader.newInstance();
    reader.parseAsArrayBuffer(await answer.arrayBuffer());
    const data = reader.getOutputData();
    const mapper = vtkMapper.newInstance();
    mapper.setInputData(data);
    mapper.setScalarVisibility(false);
    const actor = vtkActor.newInstance();
    actor.setMapper(mapper);
    const colour = COLOURS[this.loaded.length % COLOURS.length];
    actor.getProperty().setColor(...colour);
    const surface = { one, actor, colour, points: data.getPoints().getData(), triangles: triangles(data), matrix: this.kept(one) };
    if (!surface.matrix) surface.matrix = this.centred(surface);
    this.loaded.push(surface);
    const space = await this.viewer.showSpace();
    space.viewport.addActor({ uid: one.pk, actor });
    this.place(surface);
    return surface;
  }

  // The newest fit of this surface that somebody kept for this series.
  kept(one) {
    const rows = [...this.viewer.marks.rows.values()].filter((row) => row.kind === "fit" && row.document === one.pk && (!row.data.series || row.data.series === this.viewer.series.pk));
    return rows.at(-1)?.data.matrix ?? null;
  }

  // A scan has an origin of its own: it first stands in the middle of the volume.
  centred(surface) {
    const bounds = this.viewer.volume.imageData.getBounds();
    const target = [0, 1, 2].map((axis) => (bounds[2 * axis] + bounds[2 * axis + 1]) / 2);
    return translation(target.map((value, axis) => value - centre(surface.points)[axis]));
  }

  place(surface) {
    surface.world = apply(surface.matrix, surface.points);
    surface.actor.setUserMatrix(columns(surface.matrix));
    this.viewer.engine.render();
  }

  move(surface, by) {
    surface.matrix = multiply(translation(by), surface.matrix);
    this.place(surface);
  }

  turn(surface, axis, degrees) {
    surface.matrix = multiply(aroundCentre(rotation(axis, degrees), centre(surface.world)), surface.matrix);
    this.place(surface);
  }

  reset(surface) {
    surface.matrix = this.centred(surface);
    this.pairs = [];
    this.place(surface);
  }

  // A pair is a point of the surface, as its file has it, and the point of the volume where it belongs.
  pair(surface, onSurface, inVolume) {
    this.pairs.push([apply(inverse(surface.matrix), onSurface), inVolume]);
    if (this.pairs.length < 3) return null;
    const { matrix, error } = pairsFit(this.pairs);
    surface.matrix = matrix;
    this.place(surface);
    return error;
  }

  // The point of a surface under a click in the fourth pane.
  pick(surface, viewport, canvasPoint) {
    const origin = viewport.canvasToWorld(canvasPoint);
    const direction = viewport.getCamera().viewPlaneNormal.map((value) => -value);
    return nearest(surface, origin, direction);
  }

  async keep(surface, series) {
    const { mark } = await send(config.marks.url, { kind: "fit", document: surface.one.pk, data: { matrix: surface.matrix, series: series.pk, pairs: this.pairs }, text: surface.one.name });
    this.viewer.marks.rows.set(mark.pk, mark);
    this.viewer.marks.changed();
  }

  // Draw where the plane of a pane cuts each surface.
  contour({ name, element, viewport }) {
    let canvas = element.querySelector("canvas.contours");
    if (name === "space" || !this.loaded.length) return canvas?.remove();
    if (!canvas) {
      canvas = document.createElement("canvas");
      canvas.className = "contours";
      element.append(canvas);
    }
    Object.assign(canvas, { width: element.clientWidth, height: element.clientHeight });
    const ink = canvas.getContext("2d");
    const { viewPlaneNormal: normal, focalPoint } = viewport.getCamera();
    for (const surface of this.loaded) {
      ink.strokeStyle = `rgb(${surface.colour.map((part) => part * 255).join(" ")})`;
      ink.lineWidth = 1.5;
      ink.beginPath();
      for (const [from, to] of cut(surface.world, surface.triangles, normal, focalPoint)) {
        ink.moveTo(...viewport.worldToCanvas(from));
        ink.lineTo(...viewport.worldToCanvas(to));
      }
      ink.stroke();
    }
  }
}

function triangles(data) {
  const cells = data.getPolys().getData();
  const result = [];
  for (let at = 0; at < cells.length; at += cells[at] + 1) {
    for (let corner = 2; corner < cells[at]; corner += 1) result.push(cells[at + 1], cells[at + corner], cells[at + corner + 1]);
  }
  return Uint32Array.from(result);
}

function centre(points) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < points.length; at += 1) {
    low[at % 3] = Math.min(low[at % 3], points[at]);
    high[at % 3] = Math.max(high[at % 3], points[at]);
  }
  return low.map((value, axis) => (value + high[axis]) / 2);
}

// vtk keeps matrices by columns; ours are by rows.
const columns = (matrix) => [0, 1, 2, 3].flatMap((column) => [0, 1, 2, 3].map((row) => matrix[row * 4 + column]));

export function inverse(matrix) {
  const turned = identity();
  for (let row = 0; row < 3; row += 1) {
    for (let column = 0; column < 3; column += 1) turned[row * 4 + column] = matrix[column * 4 + row];
    turned[row * 4 + 3] = -[0, 1, 2].reduce((sum, axis) => sum + matrix[axis * 4 + row] * matrix[axis * 4 + 3], 0);
  }
  return turned;
}

// Yield the lines where a plane cuts the triangles.
export function* cut(points, corners, normal, through) {
  const away = (at) => (points[at] - through[0]) * normal[0] + (points[at + 1] - through[1]) * normal[1] + (points[at + 2] - through[2]) * normal[2];
  for (let at = 0; at < corners.length; at += 3) {
    const ends = [];
    for (let side = 0; side < 3; side += 1) {
      const [from, to] = [corners[at + side] * 3, corners[at + ((side + 1) % 3)] * 3];
      const [before, behind] = [away(from), away(to)];
      if (before < 0 === behind < 0) continue;
      const part = before / (before - behind);
      ends.push([0, 1, 2].map((axis) => points[from + axis] + part * (points[to + axis] - points[from + axis])));
    }
    if (ends.length === 2) yield ends;
  }
}

const minus = (one, other) => one.map((value, axis) => value - other[axis]);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

// The first place where a line, taken from before everything, meets the surface.
export function nearest({ world, triangles: corners }, origin, direction) {
  let best = null;
  const point = (corner) => [world[corner * 3], world[corner * 3 + 1], world[corner * 3 + 2]];
  for (let at = 0; at < corners.length; at += 3) {
    const a = point(corners[at]);
    const [one, other] = [minus(point(corners[at + 1]), a), minus(point(corners[at + 2]), a)];
    const across = cross(direction, other);
    const size = dot(one, across);
    if (Math.abs(size) < 1e-9) continue;
    const from = minus(origin, a);
    const u = dot(from, across) / size;
    const side = cross(from, one);
    const v = dot(direction, side) / size;
    if (u < 0 || v < 0 || u + v > 1) continue;
    const far = dot(other, side) / size;
    if (best === null || far < best) best = far;
  }
  return best === null ? null : origin.map((value, axis) => value + best * direction[axis]);
}
