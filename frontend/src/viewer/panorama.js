// A panoramic picture: the volume unrolled along a curve drawn on the axial plane, the patient's right on the left.
// Distances in it are those along the curve; it is to find a place, not to measure.
import { h } from "./dom.js";
import { say } from "./config.js";

const STEPS = 16;
const LAYERS = 9;

// A smooth curve through points (Catmull–Rom), then places on it at even distances of `step` mm.
export function along(points, step) {
  const at = (number) => points[Math.min(points.length - 1, Math.max(0, number))];
  const fine = [];
  for (let number = 0; number < points.length - 1; number += 1) {
    const [a, b, c, d] = [at(number - 1), at(number), at(number + 1), at(number + 2)];
    for (let part = 0; part < STEPS; part += 1) {
      const t = part / STEPS;
      fine.push(b.map((_, axis) => 0.5 * (2 * b[axis] + (c[axis] - a[axis]) * t + (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t * t + (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * t ** 3)));
    }
  }
  fine.push(points.at(-1));
  return evenly(fine, step);
}

function evenly(fine, step) {
  const places = [];
  let left = 0;
  for (let number = 1; number < fine.length; number += 1) {
    const [from, to] = [fine[number - 1], fine[number]];
    const long = Math.hypot(to[0] - from[0], to[1] - from[1]);
    for (; left < long; left += step) places.push(from.map((value, axis) => value + ((to[axis] - value) * left) / long));
    left -= long;
  }
  return places;
}

// Values of a volume at points in mm, between voxels as their neighbours say; outside it, the least there is.
export function sampler(volume) {
  const values = volume.voxelManager.getCompleteScalarDataArray();
  const [across, down, deep] = volume.dimensions;
  const { origin, spacing, direction } = volume;
  return ([x, y, z]) => {
    const away = [x - origin[0], y - origin[1], z - origin[2]];
    const [i, j, k] = [0, 1, 2].map((axis) => (away[0] * direction[3 * axis] + away[1] * direction[3 * axis + 1] + away[2] * direction[3 * axis + 2]) / spacing[axis]);
    if (!(i >= 0 && j >= 0 && k >= 0 && i <= across - 1 && j <= down - 1 && k <= deep - 1)) return null;
    const [i0, j0, k0] = [Math.min(Math.floor(i), across - 2), Math.min(Math.floor(j), down - 2), Math.min(Math.floor(k), deep - 2)];
    const [u, v, w] = [i - i0, j - j0, k - k0];
    let sum = 0;
    for (let corner = 0; corner < 8; corner += 1) {
      const [a, b, c] = [corner & 1, (corner >> 1) & 1, corner >> 2];
      sum += (a ? u : 1 - u) * (b ? v : 1 - v) * (c ? w : 1 - w) * values[i0 + a + (j0 + b) * across + (k0 + c) * across * down];
    }
    return sum;
  };
}

// Columns along the curve, rows from the head down; each value the mean across `thickness` mm.
export function unroll(volume, points, thickness) {
  const step = Math.min(...volume.spacing);
  const places = along(points[0][0] <= points.at(-1)[0] ? points : [...points].reverse(), step);
  const [low, high] = volume.imageData.getBounds().slice(4);
  const [width, height] = [places.length, Math.max(1, Math.floor((high - low) / step))];
  const value = sampler(volume);
  const sheet = new Float32Array(width * height).fill(NaN);
  for (let column = 0; column < width; column += 1) {
    const [from, to] = [places[Math.max(0, column - 1)], places[Math.min(width - 1, column + 1)]];
    const long = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    const aside = [-(to[1] - from[1]) / long, (to[0] - from[0]) / long];
    for (let row = 0; row < height; row += 1) {
      let [sum, count] = [0, 0];
      for (let layer = 0; layer < LAYERS; layer += 1) {
        const off = (layer / (LAYERS - 1) - 0.5) * thickness;
        const found = value([places[column][0] + aside[0] * off, places[column][1] + aside[1] * off, high - (row + 0.5) * step]);
        if (found === null) continue;
        sum += found;
        count += 1;
      }
      if (count) sheet[column + row * width] = sum / count;
    }
  }
  return { width, height, sheet };
}

// Draw it in a window; a figure with its letters, or nothing to be seen where the curve is too short.
export function figure({ width, height, sheet }, { lower, upper }, close) {
  const canvas = h("canvas", { width, height, "aria-label": say("panorama") });
  const ink = canvas.getContext("2d");
  const picture = ink.createImageData(width, height);
  for (let at = 0; at < sheet.length; at += 1) {
    picture.data.fill(((sheet[at] - lower) / (upper - lower)) * 255 || 0, at * 4, at * 4 + 3);
    picture.data[at * 4 + 3] = 255;
  }
  ink.putImageData(picture, 0, 0);
  return h("figure", { class: "panorama" },
    h("div", { class: "sheet" }, canvas, h("span", { class: "side at-left" }, "R"), h("span", { class: "side at-right" }, "L"), h("span", { class: "side at-top" }, "H")),
    h("figcaption", {}, say("panorama_note"), " ", h("button", { class: "button small", onclick: close }, say("close"))));
}
