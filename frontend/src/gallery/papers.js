// A PDF is drawn page by page as one scrolls to it. Its fonts and decoders come from our own files.
import * as pdfjs from "pdfjs-dist/legacy/build/pdf.mjs";

const place = document.querySelector("[data-paper]");
const files = JSON.parse(place.dataset.files);
const look = { scale: 1, turn: 0 };
const WIDEST = 1100;

// pdf.js asks for its own files by name; each has an address with its hash, which browsers keep for good.
class OwnFiles {
  async fetch({ filename }) {
    const answer = await fetch(files[filename]);
    if (!answer.ok) throw new Error(filename);
    return new Uint8Array(await answer.arrayBuffer());
  }
}

pdfjs.GlobalWorkerOptions.workerSrc = place.dataset.worker;
const task = pdfjs.getDocument({
  url: place.dataset.paper,
  isEvalSupported: false,
  enableXfa: false,
  useWorkerFetch: false,
  useSystemFonts: false,
  standardFontDataUrl: "/",
  wasmUrl: "/",
  BinaryDataFactory: OwnFiles,
});

task.promise.then(open).catch((error) => {
  console.warn(error.name);
  place.replaceChildren(paragraph(place.dataset.failed));
});

async function open(paper) {
  const first = await paper.getPage(1);
  const pages = Array.from({ length: paper.numPages }, (_, index) => sheet(index + 1, first));
  place.replaceChildren(...pages);
  let seen = watch(paper, pages);
  const again = () => {
    seen.disconnect();
    pages.forEach((page) => {
      delete page.dataset.drawn;
      shape(page, first);
    });
    seen = watch(paper, pages);
  };
  tools({
    in: () => (look.scale = Math.min(look.scale * 1.25, 4)),
    out: () => (look.scale = Math.max(look.scale / 1.25, 0.5)),
    left: () => (look.turn = (look.turn + 270) % 360),
    right: () => (look.turn = (look.turn + 90) % 360),
  }, again);
}

function sheet(number, first) {
  const page = document.createElement("figure");
  page.dataset.number = number;
  page.append(document.createElement("canvas"));
  page.firstChild.setAttribute("role", "img");
  page.firstChild.setAttribute("aria-label", `${place.dataset.page} ${number}`);
  shape(page, first);
  return page;
}

function width() {
  const { paddingLeft, paddingRight } = getComputedStyle(place);
  const room = place.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  return Math.min(room, WIDEST) * look.scale;
}

// The place of a page that isn't drawn yet, so that nothing jumps.
function shape(page, like) {
  const view = like.getViewport({ scale: 1, rotation: (like.rotate + look.turn) % 360 });
  page.style.width = `${width()}px`;
  page.style.height = `${(width() * view.height) / view.width}px`;
}

function watch(paper, pages) {
  const seen = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(paper, entry.target)),
    { rootMargin: "600px" },
  );
  pages.forEach((page) => seen.observe(page));
  return seen;
}

async function draw(paper, figure) {
  if (figure.dataset.drawn) return;
  figure.dataset.drawn = "1";
  const page = await paper.getPage(Number(figure.dataset.number));
  shape(figure, page);
  const rotation = (page.rotate + look.turn) % 360;
  const sharp = Math.min(window.devicePixelRatio || 1, 2);
  const scale = (width() / page.getViewport({ scale: 1, rotation }).width) * sharp;
  const viewport = page.getViewport({ scale, rotation });
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(viewport.width);
  canvas.height = Math.round(viewport.height);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${place.dataset.page} ${figure.dataset.number}`);
  await page.render({ canvas, viewport }).promise;
  figure.replaceChildren(canvas);
  figure.dataset.ready = "1";
}

function tools(does, again) {
  const bar = document.querySelector("[data-tools]");
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    does[button.dataset.do]();
    again();
  });
}

function paragraph(text) {
  const element = document.createElement("p");
  element.className = "notice warn";
  element.textContent = text;
  return element;
}
