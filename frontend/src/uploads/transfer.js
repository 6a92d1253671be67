// One file over a line that breaks: tus from tus-js-client, and beside it a watch for lines that went silent.
import { Upload } from "tus-js-client";

const SILENT = 5000; // without a byte moving
const ANSWER = 20_000; // the server may take that long for the whole file
const LONGEST = 60_000;
const ENOUGH = 1024 * 1024;
const VERSION = { "Tus-Resumable": "1.0.0" };
const FINAL = [400, 403, 404, 410, 412, 413, 415, 422, 507];

// Something that trying again doesn't mend; `why` is a name among the page's texts, `words` the server's own.
export class Halt extends Error {
  constructor(why, words = "") {
    super(why);
    this.why = why;
    this.words = words;
  }
}

const later = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));
const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Say what will come. Returns { place, state, offset }; waits out a line that is down. Throws Halt.
export async function announce(address, told, length) {
  const pairs = Object.entries(told).filter(([, value]) => value);
  const headers = {
    ...VERSION,
    "Upload-Length": String(length),
    "Upload-Metadata": pairs.map(([name, value]) => `${name} ${encode(value)}`).join(","),
  };
  for (let pause = 500; ; pause = Math.min(pause * 2, 30_000)) {
    const answer = await ask(address, { method: "POST", headers });
    if (answer?.status === 201) return { place: answer.headers.get("Location"), ...(await answer.json()) };
    if (answer && answer.status < 500) throw halt(answer.status, await answer.text());
    await later(pause);
  }
}

// Give an upload up at the server. Says whether it is gone there.
export async function forget(place) {
  const answer = await ask(place, { method: "DELETE", headers: VERSION });
  return Boolean(answer) && (answer.ok || answer.status === 404);
}

async function ask(address, request) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER);
  try {
    return await fetch(address, { ...request, signal: stop.signal });
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function halt(status, body) {
  let words = "";
  try {
    words = JSON.parse(body).refusal || "";
  } catch {} // no words: the page's own do
  if (words) return new Halt("refused", words);
  return new Halt({ 401: "signedOut", 404: "gone", 410: "gone", 507: "full" }[status] || "failed");
}

export class Transfer {
  #upload = null;
  #watch = 0;
  #retry = 0;
  #moved = 0;
  #patience = Infinity;
  #failures = 0;
  #stalls = 0;
  #before = -1;

  // `told`: moved(bytes), done(), halted(halt).
  constructor(blob, place, pace, told) {
    Object.assign(this, { blob, place, pace, told });
  }

  start() {
    this.stop();
    this.#watch = setInterval(() => this.#look(), 500);
    this.#go();
  }

  stop() {
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#upload?.abort();
    this.#upload = null;
  }

  #look() {
    if (performance.now() - this.#moved < this.#patience) return;
    this.#stalls += 1;
    this.#upload.abort();
    this.#patience = Infinity;
    this.#go();
  }

  #expect(milliseconds) {
    this.#moved = performance.now();
    // A slow line behind a large buffer looks silent too: each time it is given longer.
    this.#patience = Math.min(milliseconds * 2 ** this.#stalls, LONGEST);
  }

  #go() {
    let isFirst = true;
    const upload = new Upload(this.blob, {
      uploadUrl: this.place,
      chunkSize: this.pace.piece,
      retryDelays: null,
      storeFingerprintForResuming: false,
      onBeforeRequest: (request) => this.#mind(request, upload),
      onProgress: (sent, total) => {
        if (isFirst) this.#resumed(sent);
        isFirst = false;
        this.#expect(sent < total ? SILENT : ANSWER);
        this.told.moved(sent);
      },
      onSuccess: () => {
        this.stop();
        this.told.done();
      },
      onError: (error) => this.#failed(error),
    });
    this.#upload = upload;
    upload.start();
  }

  async #mind(request, upload) {
    if (request.getMethod() !== "PATCH") return this.#expect(ANSWER);
    this.#patience = Infinity;
    await this.pace.turn(Math.min(this.pace.piece, this.blob.size));
    // The library would send what was given up while it waited here.
    if (this.#upload !== upload) throw new Error("given up");
    this.#expect(SILENT);
  }

  // What the server holds has grown since the last try: the line works, however badly.
  #resumed(offset) {
    if (offset > this.#before) this.#failures = 0;
    if (offset - this.#before >= ENOUGH) this.#stalls = 0;
    this.#before = offset;
  }

  #failed(error) {
    this.#patience = Infinity;
    const answer = error.originalResponse;
    const status = answer ? answer.getStatus() : 0;
    if (status === 401 || FINAL.includes(status)) {
      // Before stopping, which empties the answer.
      const reason = halt(status, answer.getBody());
      this.stop();
      this.told.halted(reason);
      return;
    }
    // Another offset, or an older writer that is just ending: asking again settles it.
    const pause = Math.min((status === 409 ? 50 : 300) * 2 ** this.#failures, 30_000);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#go(), pause);
  }
}
