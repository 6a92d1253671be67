// Says the checksum of a file, read piece by piece: in a worker, so that the page stays quick and gigabytes fit.
import { createCRC32, createSHA256 } from "hash-wasm";

const MAKERS = { crc32: createCRC32, sha256: createSHA256 };
const PIECE = 4 * 1024 * 1024;

self.onmessage = async ({ data: { id, kind, blob } }) => {
  try {
    const hash = await MAKERS[kind]();
    for (let at = 0; at < blob.size; at += PIECE) {
      hash.update(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()));
      self.postMessage({ id, done: Math.min(at + PIECE, blob.size) });
    }
    self.postMessage({ id, result: hash.digest("hex") });
  } catch (error) {
    self.postMessage({ id, failed: String(error) });
  }
};
