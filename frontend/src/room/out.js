// Who was put out of the room, for the consulting side: each may be let in again.
import { h, say } from "./config.js";

export class Out {
  constructor(admit) {
    this.admit = admit;
    this.list = h("div", { class: "out", role: "group", "aria-label": say("put_out"), hidden: true });
  }

  show(people) {
    this.list.replaceChildren();
    for (const person of people) this.add(person);
    this.list.hidden = people.length === 0;
  }

  add(person) {
    if (!person) return;
    const line = h("p", {}, `${say("put_out")}: ${person.name} `);
    const admit = () => {
      this.admit(person);
      line.remove();
      this.list.hidden = this.list.childElementCount === 0;
    };
    line.append(h("button", { class: "button small", onclick: admit }, say("let_in_again")));
    this.list.append(line);
    this.list.hidden = false;
  }
}
