// A series' pictures for cornerstone: their identifiers in the order shown, with the metadata the server keeps.
import { getWebWorkerManager, imageLoader } from "@cornerstonejs/core";
import { setOptions } from "@cornerstonejs/dicom-image-loader/internal";
import registerLoaders from "@cornerstonejs/dicom-image-loader/register";
import metaDataManager from "@cornerstonejs/dicom-image-loader/metadata";
import { config } from "./config.js";

const versions = new Map();

export function begin() {
  setOptions({
    // The mark of the content stands behind an identifier that the loader takes apart itself.
    open: (request, url) => request.open("GET", url + (versions.get(url.replace(/\/instances\/.*/, "")) ?? "")),
    beforeSend: () => ({}),
  });
  registerLoaders({});
  const workers = Math.max(1, Math.min(4, Math.floor((navigator.hardwareConcurrency || 2) / 2)));
  const start = () => new Worker(`${config.assets.decoder}?wasm=${encodeURIComponent(config.assets.wasm)}`, { type: "module" });
  getWebWorkerManager().registerWorker("dicomImageLoader", start, { maxWorkerInstances: workers });
}

export async function pictures(series) {
  const answer = await fetch(series.metadata, { headers: { Accept: "application/dicom+json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const [address, mark] = series.frames.split("?");
  const base = new URL(address, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  versions.set(base.replace(/\/instances\/.*/, ""), mark ? `?${mark}` : "");
  const ids = [];
  const places = new Map();
  for (const instance of await answer.json()) {
    const uid = instance["00080018"].Value[0];
    // Marks are found again by the frame of reference; a series without one is its own.
    instance["00200052"] = instance["00200052"]?.Value?.length ? instance["00200052"] : { vr: "UI", Value: [series.uid] };
    const frames = Number(instance["00280008"]?.Value?.[0] ?? 1);
    for (let frame = 1; frame <= frames; frame += 1) {
      const id = `wadors:${base.replace("{instance}", uid).replace("{frame}", frame)}`;
      metaDataManager.add(id, instance);
      places.set(id, { instance: uid, frame });
      ids.push(id);
    }
  }
  return { ids, places, idOf: (uid, frame) => [...places].find(([, place]) => place.instance === uid && place.frame === (frame || 1))?.[0] };
}

// Load from the middle outward, so that what is looked at first is there first.
export function fromTheMiddle(ids, loaded, middle = Math.floor(ids.length / 2)) {
  const order = ids.map((_, at) => at).sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  let done = 0;
  const next = async () => {
    for (let at = order.shift(); at !== undefined; at = order.shift()) {
      await imageLoader.loadAndCacheImage(ids[at]).catch(() => null);
      done += 1;
      loaded(done / ids.length);
    }
  };
  return Promise.all(Array.from({ length: 4 }, next));
}
