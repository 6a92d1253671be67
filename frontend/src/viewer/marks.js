// Marks: what people drew, kept in the case per author and edition. A mark's data is all that is needed to draw it again.
import { annotation, Enums } from "@cornerstonejs/tools";
import { metaData } from "@cornerstonejs/core";
import { config, say, send } from "./config.js";

export const TOOLS = { length: "Length", angle: "Angle", arrow: "ArrowAnnotate", text: "Label" };
const KINDS = Object.fromEntries(Object.entries(TOOLS).map(([kind, tool]) => [tool, kind]));
const SETTLE = 800;
const round = (values) => Array.from(values, (value) => Math.round(value * 1000) / 1000);

export class Marks {
  constructor(changed, failed) {
    this.rows = new Map(config.marks.rows.map((row) => [row.pk, row]));
    this.drawn = new Map();
    this.waiting = new Map();
    this.changed = changed;
    this.failed = failed;
  }

  // Put a series' marks into the viewer's own list; they show on whatever picture they lie on.
  show(series, imageIdOf, first) {
    for (const row of this.rows.values()) {
      if (row.series !== series.pk || !TOOLS[row.kind] || this.drawn.has(row.pk)) continue;
      const imageId = row.instance ? imageIdOf(row.instance, row.frame) : null;
      if ((row.instance && !imageId) || !row.data.points) continue;
      const drawn = draw(row, imageId, first);
      this.drawn.set(row.pk, drawn.annotationUID);
      annotation.state.addAnnotation(drawn, drawn.metadata.FrameOfReferenceUID);
    }
    this.changed();
  }

  rowOf(uid) {
    const pk = [...this.drawn].find(([, drawn]) => drawn === uid)?.[0];
    return pk && this.rows.get(pk);
  }

  // Save what was drawn or moved once the hand rests.
  touch(drawn, series, whereOf) {
    if (!KINDS[drawn.metadata.toolName]) return;
    clearTimeout(this.waiting.get(drawn.annotationUID));
    this.waiting.set(drawn.annotationUID, setTimeout(() => this.save(drawn, series, whereOf), SETTLE));
  }

  async save(drawn, series, whereOf) {
    const known = this.rowOf(drawn.annotationUID);
    if (known && !known.own) return;
    const body = { kind: KINDS[drawn.metadata.toolName], series: series.pk, ...whereOf(drawn.metadata.referencedImageId), text: drawn.data.text ?? drawn.data.label ?? "", data: dataOf(drawn) };
    if (known && JSON.stringify(known.data) === JSON.stringify(body.data) && known.text === body.text) return;
    try {
      const { mark } = await send(known ? config.marks.change.replace("{mark}", known.pk) : config.marks.url, body);
      if (known) this.forget(known.pk);
      this.rows.set(mark.pk, mark);
      this.drawn.set(mark.pk, drawn.annotationUID);
      this.changed();
    } catch (trouble) {
      this.failed(trouble.message);
    }
  }

  async remove(row) {
    try {
      await send(config.marks.remove.replace("{mark}", row.pk));
      const uid = this.drawn.get(row.pk);
      if (uid) annotation.state.removeAnnotation(uid);
      this.forget(row.pk);
      this.changed();
    } catch (trouble) {
      this.failed(trouble.message);
    }
  }

  // What others drew or took back meanwhile.
  async reload() {
    const answer = await fetch(config.marks.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const rows = new Map((await answer.json()).marks.map((row) => [row.pk, row]));
    for (const pk of [...this.rows.keys()]) {
      if (rows.has(pk)) continue;
      const uid = this.drawn.get(pk);
      if (uid) annotation.state.removeAnnotation(uid);
      this.forget(pk);
    }
    for (const [pk, row] of rows) this.rows.set(pk, row);
  }

  forget(pk) {
    this.rows.delete(pk);
    this.drawn.delete(pk);
  }
}

function dataOf(drawn) {
  return {
    points: drawn.data.handles.points.map(round),
    normal: round(drawn.metadata.viewPlaneNormal ?? []),
    up: round(drawn.metadata.viewUp ?? []),
  };
}

// A mark across the slices lies on no picture of the series; the `first` tells its space.
function draw(row, imageId, first) {
  const plane = metaData.get("imagePlaneModule", imageId ?? first) ?? {};
  return {
    annotationUID: crypto.randomUUID(),
    highlighted: false,
    isLocked: !row.own,
    isVisible: true,
    invalidated: true,
    metadata: {
      toolName: TOOLS[row.kind],
      ...(imageId && { referencedImageId: imageId }),
      FrameOfReferenceUID: plane.frameOfReferenceUID,
      viewPlaneNormal: row.data.normal,
      viewUp: row.data.up,
    },
    data: {
      handles: { points: row.data.points, activeHandleIndex: null, textBox: { hasMoved: false, worldPosition: [0, 0, 0], worldBoundingBox: {} }, arrowFirst: true },
      text: row.text,
      label: row.text,
      cachedStats: {},
    },
  };
}

const apart = (one, other) => Math.hypot(...one.map((value, axis) => value - other[axis]));

// What a mark measures, in mm and degrees; nothing where the picture has no known size.
export function measure(row, isMeasured) {
  const points = row.data.points ?? [];
  if (row.kind === "length" && points.length === 2) {
    return isMeasured ? `${apart(...points).toFixed(1)} ${say("mm")}` : say("no_scale");
  }
  if (row.kind === "angle" && points.length === 3) {
    const [a, b, c] = points;
    const one = a.map((value, axis) => value - b[axis]);
    const other = c.map((value, axis) => value - b[axis]);
    const cosine = one.reduce((sum, value, axis) => sum + value * other[axis], 0) / (Math.hypot(...one) * Math.hypot(...other) || 1);
    return `${((Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI).toFixed(1)}°`;
  }
  return row.text;
}

export const events = Enums.Events;
