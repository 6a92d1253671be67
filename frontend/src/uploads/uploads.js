// Files on their way: read once for their checksum, announced, then sent three at a time over whatever line there is.
import { checksums } from "./checksum.js";
import { chosen, dropped, sort } from "./gather.js";
import { Pace } from "./pace.js";
import { Speed, refresh, row, said, size, span, tell } from "./show.js";
import { Halt, Transfer, announce, forget } from "./transfer.js";
import { zip } from "./zip.js";

const AT_ONCE = 3;
const OVER = ["done", "failed"];
const form = document.querySelector("form[data-uploads]");
if (form && window.Worker && window.WebAssembly) start();

function start() {
  const config = JSON.parse(document.getElementById("uploads-config").textContent);
  const texts = config.texts;
  const list = form.querySelector("[data-sending]");
  const template = form.querySelector("template");
  const total = form.querySelector("[data-total]");
  const kind = form.querySelector("[name=kind]");
  const pace = new Pace();
  const checksum = checksums(form.dataset.worker);
  const speed = new Speed();
  const parcels = [];
  let reading = Promise.resolve();
  let isPaused = false;
  let gone = 0; // bytes sent since the page was opened

  // A parcel: name, kind, blob, state (reading, waiting, sending, paused, done, failed, gone), sent, line, item.
  function add(name, make, length) {
    const parcel = { name, kind: kind.value, state: "reading", sent: 0, blob: { size: length } };
    parcel.item = row(list, template, name);
    parcel.item.addEventListener("click", (event) => pressed(parcel, event.target.closest("button")?.dataset.do));
    parcels.push(parcel);
    show();
    reading = reading.then(() => parcel.state !== "gone" && prepare(parcel, make)).catch((error) => fail(parcel, error));
  }

  async function prepare(parcel, make) {
    parcel.blob = await make((done, whole) => tell(parcel.item, texts.reading, "", done, whole));
    if (!parcel.blob) throw new Halt("tooLarge");
    const { size: length } = parcel.blob;
    const sha256 = await checksum("sha256", parcel.blob, (done) => tell(parcel.item, texts.reading, "", done, length));
    if (parcel.state === "gone") return;
    // What rests at the server keeps the kind that was chosen for it then.
    const rested = [...document.querySelectorAll("[data-rests]")].find((one) => Number(one.dataset.rests) === length);
    if (rested) parcel.kind = rested.dataset.kind;
    const told = { consultation: config.consultation, kind: parcel.kind, name: parcel.name, sha256 };
    tell(parcel.item, texts.announcing);
    // The next file is read while this one is announced.
    announce(config.address, told, length).then((answer) => announced(parcel, answer)).catch((error) => fail(parcel, error));
  }

  function announced(parcel, { place, state, offset }) {
    parcel.place = place;
    if (parcel.state === "gone") return void forget(place);
    unlist(place);
    parcel.sent = offset;
    if (state === "done") return done(parcel, texts.hadIt);
    parcel.state = "waiting";
    parcel.line = new Transfer(parcel.blob, place, pace, {
      moved(bytes) {
        gone += Math.max(bytes - parcel.sent, 0);
        parcel.sent = bytes;
        speed.moved(gone);
        show();
      },
      done: () => done(parcel, texts.received),
      halted: (halt) => fail(parcel, halt),
    });
    turn();
  }

  // Start what may start, and stop what may not.
  function turn() {
    const isClosed = isPaused || pace.isClosed;
    for (const parcel of parcels) {
      if (isClosed && parcel.state === "sending") hold(parcel, "waiting");
    }
    for (const parcel of parcels) {
      const free = parcels.filter(({ state }) => state === "sending").length < AT_ONCE;
      if (!isClosed && free && parcel.state === "waiting") {
        parcel.state = "sending";
        parcel.line.start();
      }
    }
    show();
  }

  function hold(parcel, state) {
    parcel.line.stop();
    parcel.state = state;
  }

  function done(parcel, words) {
    parcel.state = "done";
    parcel.sent = parcel.blob.size;
    parcel.words = words;
    turn();
    refresh().then(() => parcels.forEach(({ place }) => unlist(place)), () => {});
  }

  function fail(parcel, error) {
    if (parcel.state === "gone") return;
    // Signed out: nothing is lost, and it goes on as soon as somebody is signed in again.
    parcel.state = error.why === "signedOut" && parcel.line ? "paused" : "failed";
    parcel.words = error.words || texts[error.why] || texts.unread;
    turn();
  }

  function pressed(parcel, what) {
    if (what === "pause" && ["waiting", "sending"].includes(parcel.state)) hold(parcel, "paused");
    else if (what === "resume" && parcel.state === "paused") Object.assign(parcel, { state: "waiting", words: "" });
    else if (what === "cancel") cancel(parcel);
    turn();
  }

  function cancel(parcel) {
    parcel.line?.stop();
    if (parcel.place && !OVER.includes(parcel.state)) forget(parcel.place).catch(() => {});
    parcel.state = "gone";
    parcels.splice(parcels.indexOf(parcel), 1);
    parcel.item.remove();
  }

  function show() {
    for (const parcel of parcels) {
      const { state, sent, item, blob } = parcel;
      const part = { done: size(sent, texts), whole: size(blob.size, texts), percent: Math.floor((100 * sent) / (blob.size || 1)) };
      const waits = pace.isClosed ? said(texts.night, { from: pace.from }) : said(texts.waiting, part);
      if (state === "sending") tell(item, said(texts.sending, part), "", sent, blob.size);
      if (state === "waiting") tell(item, waits, "", sent, blob.size);
      if (state === "paused") tell(item, parcel.words || said(texts.paused, part), "warn", sent, blob.size);
      if (OVER.includes(state)) tell(item, parcel.words, state === "done" ? "good" : "bad");
      item.querySelector("[data-do=pause]").hidden = !["sending", "waiting"].includes(state);
      item.querySelector("[data-do=resume]").hidden = state !== "paused";
      item.querySelector("[data-do=cancel]").textContent = OVER.includes(state) ? texts.close : texts.cancel;
    }
    showTotal();
  }

  function showTotal() {
    const open = parcels.filter(({ state }) => !OVER.includes(state));
    total.hidden = !open.length;
    if (!open.length) return;
    const counted = parcels.filter(({ state }) => state !== "failed");
    const whole = counted.reduce((sum, { blob }) => sum + blob.size, 0);
    const sent = counted.reduce((sum, parcel) => sum + parcel.sent, 0);
    const facts = [said(texts.together, { done: size(sent, texts), whole: size(whole, texts), count: open.length })];
    if (speed.value && open.some(({ state }) => state === "sending")) {
      facts.push(said(texts.speed, { speed: size(speed.value, texts) }), said(texts.left, { time: span((whole - sent) / speed.value, texts) }));
    }
    tell(total, facts.join(" · "), "", sent, whole);
    total.querySelector("[data-all]").textContent = isPaused ? texts.resumeAll : texts.pauseAll;
  }

  async function take(found) {
    const { singles, study, name, left } = await sort(found);
    if (study.length) {
      const length = study.reduce((sum, { file }) => sum + file.size, 0);
      add(name, (moved) => pack(study, length, moved), length);
    }
    singles.forEach(({ file }) => add(file.name, () => file, file.size));
    const note = form.querySelector("[data-left-out]");
    note.hidden = !left.length;
    if (left.length) {
      const names = left.slice(0, 5).map(({ file }) => file.name).join(", ");
      note.textContent = said(texts.leftOut, { count: left.length, names: left.length > 5 ? `${names} …` : names });
    }
  }

  async function pack(study, length, moved) {
    const entries = [];
    let read = 0;
    for (const { path, file } of study) {
      entries.push({ path, file, crc: parseInt(await checksum("crc32", file), 16) });
      moved((read += file.size), length);
    }
    return zip(entries);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const inputs = [...form.querySelectorAll("input[type=file]")];
    const found = inputs.flatMap(chosen);
    inputs.forEach((input) => (input.value = ""));
    take(found);
  });
  form.querySelectorAll("input[type=file]").forEach((input) => (input.required = false));
  form.querySelectorAll("[data-scripted]").forEach((part) => (part.hidden = false));
  form.querySelectorAll("[data-plain]").forEach((part) => (part.hidden = true));
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    dropped(event.dataTransfer).then(take);
  });
  total.querySelector("[data-all]").addEventListener("click", () => {
    isPaused = !isPaused;
    turn();
  });
  document.addEventListener("click", async (event) => {
    const rested = event.target.closest("[data-forget]")?.closest("[data-place]");
    if (rested && (await forget(rested.dataset.place))) rested.remove();
  });
  window.addEventListener("beforeunload", (event) => {
    if (parcels.some(({ state }) => !OVER.includes(state))) event.preventDefault();
  });
  settings(pace, () => {
    parcels.filter(({ state }) => state === "sending").forEach((parcel) => hold(parcel, "waiting"));
    turn();
  });
  setInterval(turn, 15_000);
}

// What is being sent from this page stands in its own list.
function unlist(place) {
  if (place) document.querySelector(`[data-place="${place}"]`)?.remove();
}

function settings(pace, changed) {
  const fields = Object.fromEntries(["limit", "night", "from", "to"].map((name) => [name, form.querySelector(`[data-pace=${name}]`)]));
  fields.limit.value = pace.limit || "";
  fields.night.checked = pace.night;
  fields.from.value = pace.from;
  fields.to.value = pace.to;
  form.querySelector("[data-paces]").addEventListener("change", () => {
    const limit = Math.max(Number(fields.limit.value.replace(",", ".")) || 0, 0);
    pace.keep({ limit, night: fields.night.checked, from: fields.from.value || "22:00", to: fields.to.value || "06:00" });
    changed();
  });
}
