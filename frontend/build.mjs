// Bundle styles and scripts into the package's static folder.
import { build } from "esbuild";

await build({
  entryPoints: ["src/app.js", "src/app.css", "src/gallery/names.js"],
  outdir: "../src/konsilium/static/dist",
  bundle: true,
  minify: true,
  target: ["es2020", "chrome109", "firefox102", "safari15"],
  legalComments: "linked",
  logLevel: "warning",
});
