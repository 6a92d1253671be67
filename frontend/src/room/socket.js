// The line to our server: a ticket, a hello, and again after every break, with the same seat.
import { config } from "./config.js";

const AGAIN_MS = [200, 500, 1000, 2000, 4000, 8000];
const PING_MS = 15_000;
// Closed for good: not allowed, somewhere else, over.
const FINAL = { 4403: "revoked", 4409: "elsewhere", 4410: "over" };

export class Link {
  #socket = null;
  #turn = 0;
  #ping = 0;
  #isLeft = false;

  // hear(message) for each message; state("open"|"lost"|"closed", why) when the line changes.
  constructor(hear, state) {
    this.hear = hear;
    this.state = state;
    this.seat = sessionStorage.getItem(config.seatKey) ?? crypto.randomUUID().replaceAll("-", "");
    sessionStorage.setItem(config.seatKey, this.seat);
  }

  async open() {
    try {
      const answer = await fetch(config.ticketUrl, { method: "POST", headers: { "X-CSRFToken": config.csrf } });
      if (answer.status === 422) return this.#end("refused", (await answer.json()).refused);
      if ([401, 403, 404].includes(answer.status)) return this.#end("revoked");
      if (answer.redirected) return this.#end("revoked");
      if (!answer.ok) throw new Error(answer.statusText);
      this.#connect((await answer.json()).ticket);
    } catch {
      this.#again();
    }
  }

  #connect(ticket) {
    const socket = new WebSocket(config.socketUrl.replace(/^http/, "ws"));
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ t: "hello", ticket, seat: this.seat }));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.t === "welcome") {
        this.#turn = 0;
        clearInterval(this.#ping);
        this.#ping = setInterval(() => this.say("ping"), PING_MS);
        this.state("open");
      }
      this.why = message.t === "removed" ? "removed" : (this.why ?? null);
      this.hear(message);
    };
    socket.onclose = ({ code }) => {
      clearInterval(this.#ping);
      if (socket !== this.#socket || this.#isLeft) return;
      if (FINAL[code]) this.#end(this.why ?? FINAL[code]);
      else this.#again();
    };
  }

  #again() {
    if (this.#isLeft) return;
    this.state("lost");
    const pause = AGAIN_MS[Math.min(this.#turn, AGAIN_MS.length - 1)];
    this.#turn += 1;
    setTimeout(() => !this.#isLeft && this.open(), pause * (0.7 + 0.6 * Math.random()));
  }

  #end(why, words) {
    this.#isLeft = true;
    this.state("closed", why, words);
  }

  say(t, more = {}) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ t, ...more }));
  }

  leave() {
    this.say("bye");
    this.#isLeft = true;
    this.#socket?.close();
    this.state("closed", "left");
  }
}
