// Bundle styles and scripts into the package's static folder. What only one page needs is loaded only there.
import { build } from "esbuild";
import { cp, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const common = {
  outdir: "../src/konsilium/static/dist",
  outbase: "src",
  bundle: true,
  minify: true,
  target: ["es2020", "chrome109", "firefox102", "safari15"],
  legalComments: "linked",
  logLevel: "warning",
};

await build({
  ...common,
  entryPoints: ["src/app.js", "src/app.css", "src/gallery/gallery.js", "src/gallery/gallery.css", "src/gallery/names.js", "src/writing/writing.js", "src/uploads/uploads.js", "src/uploads/worker.js"],
});
await build({
  ...common,
  format: "esm",
  entryPoints: [
    { in: "src/gallery/papers.js", out: "gallery/papers" },
    { in: "src/gallery/surfaces.js", out: "gallery/surfaces" },
    { in: "pdfjs-dist/legacy/build/pdf.worker.mjs", out: "gallery/pdf.worker" },
  ],
});
await build({ ...common, format: "esm", entryPoints: ["src/room/room.js", "src/room/room.css"] });
await build({ ...common, format: "esm", entryPoints: [{ in: "src/room/engines/janus.js", out: "room/janus" }] });
await build({ ...common, format: "esm", entryPoints: ["src/browsertest/browsertest.js", "src/browsertest/browsertest.css"] });
await build({ ...common, format: "esm", entryPoints: ["src/signing/signing.js", "src/signing/signing.css"] });
await build({ ...common, format: "esm", entryPoints: ["src/scanning/scanning.js", "src/scanning/scanning.css"] });
// Fonts that a PDF may leave out, and decoders of scans.
for (const folder of ["standard_fonts", "wasm"]) {
  await cp(`node_modules/pdfjs-dist/${folder}`, `${common.outdir}/pdf`, {
    recursive: true,
    filter: (name) => !/LICENSE|nowasm/.test(name),
  });
}

// The viewer. vtk.js names parts of Node it never uses here; the pack holds HTJ2K or plain frames only, so that the other
// decoders stay out; where the decoder's WebAssembly lies, the worker's address says.
const loader = "node_modules/@cornerstonejs/dicom-image-loader/dist/esm";
const unused = /decode(JPEG2000|JPEGLS|JPEGXL|JPEGBaseline8Bit|JPEGBaseline12Bit-js|JPEGLossless|DeflatedFrame|RLE)\.js$/;
const viewer = {
  name: "viewer",
  setup(build) {
    const stub = (contents) => ({ contents, loader: "js" });
    build.onResolve({ filter: /^(fs|path|events|module|url|crypto|worker_threads)$/ }, ({ path }) => ({ path, namespace: "node" }));
    build.onLoad({ filter: /.*/, namespace: "node" }, () => stub("export default {}; export class EventEmitter {}"));
    build.onLoad({ filter: unused }, () => stub("const no = () => { throw new Error('unpacked'); }; export default no; export const initialize = no;"));
    // A style as an attribute is what the pages' policy forbids; the same set by a property is not.
    build.onLoad({ filter: /drawTextBox\.js$/ }, async ({ path }) => {
      const forbidden = "textElement.setAttribute('style', combinedStyle)";
      const code = await readFile(path, "utf8");
      if (!code.includes(forbidden)) throw new Error("drawTextBox.js has changed: see how it sets styles now");
      return stub(code.replace(forbidden, "textElement.style.cssText = combinedStyle"));
    });
    build.onLoad({ filter: /shared\/wasmBasePath\.js$/ }, () =>
      stub("export const resolveWasmUrl = () => new URLSearchParams(self.location.search).get('wasm'); export const setWasmBasePathFromConfig = () => {};"),
    );
  },
};
await build({
  ...common,
  format: "esm",
  target: ["es2022"],
  plugins: [viewer],
  legalComments: "none",
  alias: {
    "@cornerstonejs/dicom-image-loader/internal": `./${loader}/imageLoader/internal/options.js`,
    "@cornerstonejs/dicom-image-loader/register": `./${loader}/imageLoader/wadors/register.js`,
    "@cornerstonejs/dicom-image-loader/metadata": `./${loader}/imageLoader/wadors/metaDataManager.js`,
    "@cornerstonejs/dicom-image-loader/worker": `./${loader}/decodeImageFrameWorker.js`,
  },
  entryPoints: ["src/viewer/viewer.js", "src/viewer/viewer.css", "src/viewer/engine.js", "src/viewer/decoder.js"],
});
await cp("node_modules/@cornerstonejs/codec-openjph/dist/openjphjs.wasm", `${common.outdir}/viewer/openjphjs.wasm`);

// Everything that opening a study takes, as it goes over the line.
const LARGEST = 1_400_000;
const scripts = ["viewer", "engine", "decoder"].map((name) => readFile(`${common.outdir}/viewer/${name}.js`));
const size = (await Promise.all(scripts)).reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
console.log(`viewer: ${(size / 1e6).toFixed(2)} MB gzip`);
if (size > LARGEST) throw new Error(`The viewer's scripts may have ${LARGEST} bytes gzip and have ${size}`);
// The print forms' font, for the worker that typesets them.
for (const face of ["400Regular", "400Regular_Italic", "700Bold", "700Bold_Italic"]) {
  const file = `PTSans_${face}.ttf`;
  await cp(`node_modules/@expo-google-fonts/pt-sans/${face}/${file}`, `${common.outdir}/print/${file}`);
}
