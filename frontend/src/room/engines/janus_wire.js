// One WebSocket to Janus: requests with their answers, events for whoever holds the handle, and coming back.
const ALIVE_MS = 20_000;
const ANSWER_MS = 10_000;

const word = () => crypto.randomUUID().replaceAll("-", "").slice(0, 16);
const wait = (ms) => new Promise((go) => setTimeout(go, ms));

export class JanusRefused extends Error {
  constructor(said) {
    super(said.error ?? said.reason ?? "refused");
    this.code = said.error_code ?? said.code;
  }
}

export class Wire {
  #socket = null;
  #session = 0;
  #waiting = new Map();
  #handles = new Map();
  #alive = 0;

  // `onLost` is called once when the line breaks and nobody closed it.
  constructor(grant, onLost) {
    this.token = grant.token;
    this.address = grant.address;
    this.onLost = onLost;
  }

  async open() {
    this.#socket = new WebSocket(this.address, "janus-protocol");
    this.#socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    await new Promise((go, fail) => {
      this.#socket.onopen = go;
      this.#socket.onerror = this.#socket.onclose = () => fail(new Error("closed"));
    });
    this.#socket.onerror = null;
    this.#socket.onclose = () => this.#lose();
    this.#session = (await this.#ask({ janus: "create" })).data.id;
    this.#alive = setInterval(() => this.#ask({ janus: "keepalive" }).catch(() => {}), ALIVE_MS);
  }

  async attach(plugin, onEvent) {
    const id = (await this.#ask({ janus: "attach", plugin })).data.id;
    this.#handles.set(id, onEvent);
    return {
      // Asynchronous requests answer with an event of the same transaction, with a description beside it.
      say: async (body, jsep) => {
        const told = await this.#ask({ janus: "message", handle_id: id, body, ...(jsep && { jsep }) });
        const data = told.plugindata?.data ?? {};
        if (data.error_code || data.result?.event === "registration_failed") throw new JanusRefused({ ...data, ...data.result });
        return { data, jsep: told.jsep };
      },
      trickle: (candidate) =>
        this.#ask({ janus: "trickle", handle_id: id, candidate: candidate ?? { completed: true } }).catch(() => {}),
      detach: () => {
        this.#handles.delete(id);
        return this.#ask({ janus: "detach", handle_id: id }).catch(() => {});
      },
    };
  }

  async close() {
    this.#quit();
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#send({ janus: "destroy" });
      await wait(50);
    }
    this.#socket?.close();
  }

  #quit() {
    clearInterval(this.#alive);
    if (this.#socket) this.#socket.onclose = null;
    for (const { fail } of this.#waiting.values()) fail(new Error("closed"));
    this.#waiting.clear();
  }

  #lose() {
    this.#quit();
    this.onLost();
  }

  #send(said) {
    const session = this.#session ? { session_id: this.#session } : {};
    const whole = { ...session, ...said, token: this.token, transaction: word() };
    this.#socket.send(JSON.stringify(whole));
    return whole.transaction;
  }

  #ask(said) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("closed"));
    const transaction = this.#send(said);
    return new Promise((go, fail) => {
      const late = setTimeout(() => {
        this.#waiting.delete(transaction);
        fail(new Error("late"));
      }, ANSWER_MS);
      const done = (end) => (value) => {
        clearTimeout(late);
        this.#waiting.delete(transaction);
        end(value);
      };
      this.#waiting.set(transaction, { go: done(go), fail: done(fail), isMessage: said.janus === "message" });
    });
  }

  #hear(said) {
    const waiting = this.#waiting.get(said.transaction);
    if (waiting) {
      if (said.janus === "error") waiting.fail(new JanusRefused(said.error ?? {}));
      // A message is done with its event, anything else with its acknowledgement.
      else if (said.janus !== "ack" || !waiting.isMessage) waiting.go(said);
      return;
    }
    if (said.janus === "timeout") {
      this.#socket.close();
      return;
    }
    this.#handles.get(said.sender)?.(said);
  }
}
