// The chat. Its lines stay in the case; the page says so.
import { config, h, say } from "./config.js";

export class Chat {
  constructor(place, send) {
    this.list = h("ol", { class: "lines", "aria-live": "polite" });
    const text = h("input", { type: "text", maxlength: 4000, "aria-label": say("chat_write"), placeholder: say("chat_write"), autocomplete: "off" });
    const form = h("form", { class: "chat-form", onsubmit: (event) => {
      event.preventDefault();
      if (text.value.trim()) send(text.value);
      text.value = "";
    } }, text, h("button", { class: "button" }, say("chat_send")));
    place.append(h("h2", {}, say("chat")), h("p", { class: "small soft" }, say("chat_kept")), this.list, form);
    this.shown = new Set();
  }

  add(line) {
    if (this.shown.has(line.id)) return;
    this.shown.add(line.id);
    const at = new Date(line.at).toLocaleTimeString(config.language, { hour: "2-digit", minute: "2-digit" });
    this.list.append(h("li", {}, h("small", {}, `${at} · ${line.name}, ${line.organization}`), h("p", {}, line.text)));
    this.list.scrollTop = this.list.scrollHeight;
  }
}
