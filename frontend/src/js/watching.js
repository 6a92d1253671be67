// A page that several people have open hears when something on it changed, and fetches that part anew.
const AGAIN_MS = [500, 1000, 2000, 5000, 10_000];

export function watching() {
  const part = document.querySelector("[data-watch]");
  if (part && window.WebSocket) watch(part, 0);
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

// Not under somebody's hands: an open answer is finished first.
function refresh(part) {
  if (part.querySelector("details[open]")) return void (part.dataset.stale = "1");
  part.dispatchEvent(new Event("changed"));
}
