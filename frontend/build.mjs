// Bundle styles and scripts into the package's static folder. What only one page needs is loaded only there.
import { build } from "esbuild";
import { cp } from "node:fs/promises";

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
  entryPoints: ["src/app.js", "src/app.css", "src/gallery/gallery.js", "src/gallery/gallery.css", "src/gallery/names.js"],
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
// Fonts that a PDF may leave out, and decoders of scans.
for (const folder of ["standard_fonts", "wasm"]) {
  await cp(`node_modules/pdfjs-dist/${folder}`, `${common.outdir}/pdf`, {
    recursive: true,
    filter: (name) => !/LICENSE|nowasm/.test(name),
  });
}
