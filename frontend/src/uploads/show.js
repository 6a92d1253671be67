// What is seen of files on their way: a row for each, and one line for all of them together.
const KEPT = 12; // seconds that the speed is measured over

export function said(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

export function size(bytes, texts) {
  const [unit, value] = bytes < 1024 ** 2 ? ["kB", bytes / 1024] : bytes < 1024 ** 3 ? ["MB", bytes / 1024 ** 2] : ["GB", bytes / 1024 ** 3];
  const digits = unit === "kB" ? 0 : unit === "MB" ? 1 : 2;
  return `${value.toFixed(digits).replace(".", texts.comma)} ${texts[unit]}`;
}

export function span(seconds, texts) {
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return said(texts.seconds, { count: Math.max(Math.round(seconds), 1) });
  if (minutes < 60) return said(texts.minutes, { count: minutes });
  return said(texts.hours, { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

// Bytes a second over the last seconds; 0 where it isn't known.
export class Speed {
  #marks = [];

  moved(bytes) {
    const now = performance.now() / 1000;
    this.#marks.push([now, bytes]);
    while (this.#marks.length > 2 && now - this.#marks[0][0] > KEPT) this.#marks.shift();
  }

  get value() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    return last && last[0] - first[0] > 0.5 ? Math.max((last[1] - first[1]) / (last[0] - first[0]), 0) : 0;
  }
}

export function row(list, template, name) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.querySelector("[data-name]").textContent = name;
  item.querySelectorAll("button").forEach((button) => button.setAttribute("aria-label", `${button.textContent} ${name}`));
  list.append(item);
  return item;
}

// `done` and `whole` in bytes; both are left out where there is nothing to measure.
export function tell(item, text, tone = "", done = null, whole = null) {
  const note = item.querySelector("[data-note]");
  if (note.textContent !== text) note.textContent = text;
  note.dataset.tone = tone;
  const bar = item.querySelector("progress");
  bar.hidden = done === null;
  if (done !== null) {
    bar.max = whole || 1;
    bar.value = done;
  }
}

// The list of documents, and what is still missing, as the server has them now; what is being written stays as it is.
export async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of ["[data-documents]", "section[aria-labelledby=missing]", "[data-arriving]"]) {
    const [now, then] = [document.querySelector(name), page.querySelector(name)];
    if (now && then) now.replaceWith(then);
  }
  // The studies ask for themselves, and go on asking while something is read.
  document.body.dispatchEvent(new Event("documents-changed"));
}
