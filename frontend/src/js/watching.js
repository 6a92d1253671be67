// A page that several people have open hears when something on it changed, and fetches that part anew.
const AGAIN_MS = [500, 1000, 2000, 5000, 10_000];

export function watching() {
  const part = document.querySelector("[data-watch]");
  if (!part) return;
  spareHands(part);
  if (window.WebSocket) watch(part, 0);
}

async function watch(part, turn) {
  const again = () => setTimeout(() => watch(part, turn + 1), AGAIN_MS[Math.min(turn, AGAIN_MS.length - 1)]);
  let ticket;
  try {
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
    const answer = await fetch(part.dataset.watch, { method: "POST", headers: { "X-CSRFToken": token } });
    if (answer.status === 403 || answer.status === 404 || answer.redirected) return;
    ({ ticket } = await answer.json());
  } catch {
    return again();
  }
  const socket = new WebSocket(new URL(part.dataset.socket, location.href).href.replace(/^http/, "ws"));
  socket.onopen = () => socket.send(JSON.stringify({ t: "hello", ticket }));
  socket.onmessage = ({ data }) => {
    const { t } = JSON.parse(data);
    if (t === "welcome") part.dataset.watching = "1";
    // What was missed while the line was away is fetched with the first word.
    if (t === "changed" || (t === "welcome" && turn > 0)) refresh(part);
  };
  socket.onclose = ({ code }) => {
    delete part.dataset.watching;
    if (code !== 4403) again();
  };
}

function refresh(part) {
  if (open(part).length) part.dataset.stale = "1";
  else part.dispatchEvent(new Event("changed"));
}

const open = (part) => [...part.querySelectorAll("details[open]")];
const written = (answer) => [...answer.querySelectorAll("input:not([type=hidden])")];

// What others changed is not put under somebody's hands: an open answer is finished or closed first, also when
// it was opened while the change was on its way. One's own answer brings the page anew and leaves the other open ones be.
function spareHands(part) {
  let kept = [];
  part.addEventListener("htmx:beforeSwap", ({ detail }) => {
    kept = open(part).filter((answer) => !answer.contains(detail.requestConfig.elt));
    if (detail.requestConfig.elt !== part || !kept.length) return;
    detail.shouldSwap = false;
    part.dataset.stale = "1";
  });
  part.addEventListener("htmx:afterSwap", () => {
    delete part.dataset.stale;
    kept.forEach((answer) => openAgain(part, answer));
  });
  part.addEventListener("toggle", () => part.dataset.stale && refresh(part), true);
}

function openAgain(part, answer) {
  const step = part.querySelector(`#${answer.closest("[id]").id} details`);
  if (!step) return;
  step.open = true;
  written(step).forEach((field, at) => (field.value = written(answer)[at].value));
}
