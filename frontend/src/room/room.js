// The session's room: come in, see and hear each other, and stay together on a line that is thin or breaks.
import { Chat } from "./chat.js";
import { Codec } from "./codec.js";
import { config, h, say } from "./config.js";
import { capture } from "./devices.js";
import { door } from "./door.js";
import { MeshEngine } from "./engines/mesh.js";
import { Ladder } from "./ladder.js";
import { Link } from "./socket.js";
import { Looking } from "./looking.js";
import { Out } from "./out.js";
import { Recording } from "./recording.js";
import { Tiles } from "./tiles.js";

const STILL_MS = 4000;
const QUALITY_MS = 10_000;
const LOUD = 0.02;
// A page that broke off may come back before its tile is taken away.
const GRACE_MS = 15_000;
const root = document.getElementById("room");

class Room {
  constructor({ stream, wantsPicture }) {
    this.stream = stream;
    this.state = { audio: stream.getAudioTracks().length > 0, video: stream.getVideoTracks().length > 0 && wantsPicture, screen: false, hand: false, mode: wantsPicture ? "full" : "audio" };
    this.people = new Map();
    this.wanted = wantsPicture ? "full" : "audio";
    this.ladder = new Ladder();
    this.take = new Ladder();
    this.before = new Map();
    this.last = null;
    this.build();
    this.link = new Link((message) => this.hear(message), (state, why, words) => this.line(state, why, words));
    this.link.open();
    this.timers = [
      setInterval(() => this.look().catch(() => {}), Ladder.LOOK_MS),
      setInterval(() => this.listen(), 300),
      setInterval(() => this.still(), STILL_MS),
      setInterval(() => this.report(), QUALITY_MS),
    ];
    addEventListener("pagehide", () => this.link.say("bye"));
  }

  build() {
    this.note = h("p", { class: "note", role: "status" });
    this.places = h("ul", { class: "tiles" });
    this.side = h("aside", { class: "side" });
    const button = (name, act, extra = {}) => h("button", { class: "button", "data-name": name, "aria-pressed": "false", onclick: act, ...extra }, say(name));
    this.buttons = {
      mic: button("mic", () => this.turnSound(!this.state.audio), { "aria-keyshortcuts": "m", title: "M" }),
      camera: button("camera", () => this.turnPicture(!this.state.video), { "aria-keyshortcuts": "c", title: "C" }),
      sound_only: button("sound_only", () => this.setMode(this.wanted === "audio" ? "full" : "audio"), { title: "A" }),
      hand: button("hand", () => this.show({ hand: !this.state.hand }), { title: "H" }),
      screen: navigator.mediaDevices?.getDisplayMedia ? button("screen", () => this.turnScreen(!this.state.screen)) : null,
      leave: h("button", { class: "button danger", "data-name": "leave", onclick: () => this.link.leave() }, say("leave")),
    };
    this.bar = h("div", { class: "bar", role: "toolbar", "aria-label": say("tools") }, ...Object.values(this.buttons).filter(Boolean));
    this.lookPlace = h("div", { class: "together" });
    this.out = new Out((person) => this.link.say("admit", { who: person.id }));
    root.replaceChildren(this.note, h("div", { class: "middle" }, this.lookPlace, this.places, this.out.list, this.bar), this.side);
    this.chat = new Chat(this.side, (text) => this.link.say("chat", { text }));
    this.looking = new Looking(this.lookPlace, (body) => this.link.say("look", { body }));
    document.addEventListener("keydown", (event) => this.key(event));
    this.press();
  }

  key(event) {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { m: "mic", c: "camera", a: "sound_only", h: "hand" };
    const button = this.buttons[keys[event.key.toLowerCase()]];
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  tell(words, tone = "") {
    this.note.textContent = words;
    this.note.className = `note ${tone}`;
  }

  line(state, why, words) {
    root.dataset.line = state;
    if (state === "open") this.tell("");
    if (state === "lost") this.tell(say("line_lost"), "warn");
    if (state === "closed") this.end(why, words);
  }

  end(why, words) {
    for (const timer of this.timers ?? []) clearInterval(timer);
    this.engine?.leave();
    this.codec?.leave();
    for (const track of this.stream.getTracks()) track.stop();
    this.screen?.getTracks().forEach((track) => track.stop());
    const again = why === "left" || why === "refused" ? h("a", { class: "button primary", href: location.href }, say("come_back")) : null;
    root.replaceChildren(h("div", { class: "ended" }, h("h2", {}, say(`ended_${why}`)), words ? h("p", {}, words) : null, h("div", { class: "buttons" }, again, config.backUrl ? h("a", { class: "button", href: config.backUrl }, say("to_request")) : null)));
    root.dataset.ended = why;
  }

  async hear(message) {
    const verbs = {
      welcome: () => this.welcome(message),
      joined: () => this.joined(message.person),
      person: () => this.joined(message.person),
      left: () => this.left(message.id, message.why),
      signal: () => this.signal(message.from, message.body),
      chat: () => this.chat.add(message),
      look: () => this.looking.hear(message.body),
      still: () => this.tiles.showStill(message.from, message.jpeg),
      muted: () => this.mutedBy(message.by),
      recording: () => this.recording?.hear(message),
      grant: () => message.grant && this.begin(message.grant),
      refused: () => message.text && this.tell(message.text, "warn"),
      closed: () => {},
    };
    await verbs[message.t]?.();
  }

  async welcome(message) {
    this.me = message.me;
    this.grant = message.grant;
    this.tiles ??= new Tiles(this.places, { moderates: message.moderates, act: (verb, person) => this.moderate(verb, person) });
    this.own = { id: message.me, name: config.name, organization: config.organization, guest: false };
    this.tiles.show({ ...this.own, ...this.state }, { own: true });
    this.tiles.stream(this.me, this.stream);
    this.recording ??= this.listenForRecording(message);
    this.recording.hear(message.recording);
    for (const line of message.chat) this.chat.add(line);
    this.moderates = message.moderates;
    this.out.show(message.out);
    if (message.trouble) this.tell(message.trouble, "warn");
    if (!message.grant) return;
    if (message.grant.kind === "outside") return this.outside(message.grant);
    await this.begin(message.grant);
    this.link.say("state", this.state);
    this.sweep(message.people);
    for (const person of message.people) {
      this.joined(person);
      this.engine.call?.(person.id);
    }
    if (message.look?.thing) this.looking.hear(message.look);
    root.dataset.ready = "1";
  }

  // Consent, and moving when the recorded room is another one.
  listenForRecording({ me, moderates }) {
    const newGrant = () => this.link.say("grant");
    return new Recording(root, { me, moderates, send: (kind, more) => this.link.say(kind, more), moved: newGrant, room: () => this.grant?.room });
  }

  async begin(grant) {
    this.grant = grant;
    if (grant.keys?.sip_me) this.meetCodec(grant);
    if (this.engine) return this.engine.renew?.(grant);
    if (grant.kind === "janus") {
      const { JanusEngine } = await import(config.assets.janus);
      this.engine = new JanusEngine();
    } else this.engine = new MeshEngine();
    await this.engine.join(grant, {
      send: (id, body) => this.link.say("signal", { to: id, body }),
      stream: (id, stream) => this.tiles.stream(id, stream),
      gone: (id) => this.tiles.get(id) && (this.tiles.get(id).video.srcObject = null),
      state: (state, id) => {
        this.tiles.tell(id, state === "lost" ? say("reconnecting") : "");
        if (state === "connected") this.ask();
      },
      muted: () => this.turnSound(false),
      removed: () => {},
      moved: () => this.link.say("grant"),
      stale: () => this.link.say("grant"),
    });
    await this.publish();
    await this.engine.setBounds(this.ladder.step);
  }

  // The consulting side may have a room codec on the line, beside the room.
  meetCodec(grant) {
    if (this.codec) return this.codec.renew(grant);
    this.codec = new Codec(this.side, { grant, stream: () => new MediaStream(this.stream.getTracks()) });
  }

  outside(grant) {
    const facts = [grant.address && h("a", { class: "button primary", href: grant.address, rel: "noreferrer", target: "_blank" }, say("open_outside")), grant.dial && h("p", {}, `${say("dial")}: ${grant.dial}`), grant.pin && h("p", {}, `PIN: ${grant.pin}`), grant.instructions && h("p", {}, grant.instructions)];
    this.places.before(h("div", { class: "outside" }, ...facts.filter(Boolean)));
  }

  joined(person) {
    if (!this.tiles || person.id === this.me) return;
    clearTimeout(this.people.get(person.id)?.timer);
    this.people.set(person.id, person);
    this.tiles.show(person);
    // Media may be here before the person is told of.
    const stream = this.engine?.streamOf?.(person.id);
    if (stream) this.tiles.stream(person.id, stream);
    if (person.mode === "full" && person.video) this.tiles.hideStill(person.id);
  }

  // After a break: who isn't there any more gets a while to come back too, for their media may still flow.
  sweep(present) {
    const here = new Set(present.map(({ id }) => id));
    for (const [id, person] of this.people) if (!here.has(id)) person.timer = setTimeout(() => this.left(id, "gone"), GRACE_MS);
  }

  left(id, why) {
    if (why === "gone" && this.engine?.has?.(id) && !this.people.get(id)?.timer) {
      this.tiles.tell(id, say("reconnecting"));
      const person = this.people.get(id);
      if (person) person.timer = setTimeout(() => this.left(id, "gone"), GRACE_MS);
      return;
    }
    if (why === "removed" && this.moderates) this.out.add(this.people.get(id));
    this.people.delete(id);
    this.engine?.drop?.(id);
    this.tiles?.drop(id);
  }

  async signal(from, body) {
    if (!this.engine?.hear) return;
    await this.engine.hear(from, body).catch((error) => console.warn(error.name));
  }

  moderate(verb, person) {
    if (verb === "remove" && !confirm(`${say("remove_sure")} ${person.name}?`)) return;
    this.link.say(verb, { who: person.id });
  }

  mutedBy(name) {
    this.turnSound(false);
    this.tell(`${say("muted_by")} ${name}`, "warn");
  }

  // --- What one shows of oneself

  show(changes) {
    Object.assign(this.state, changes);
    this.link.say("state", this.state);
    this.tiles?.show({ ...this.own, ...this.state }, { own: true });
    this.press();
  }

  press() {
    const { audio, video, screen, hand, mode } = this.state;
    for (const [name, on] of Object.entries({ mic: audio, camera: video, screen, hand, sound_only: mode === "audio" })) this.buttons[name]?.setAttribute("aria-pressed", String(on));
  }

  async turnSound(on) {
    if (on && !this.stream.getAudioTracks().length) await this.obtain({ audio: true, video: false });
    for (const track of this.stream.getAudioTracks()) track.enabled = on;
    this.show({ audio: on && this.stream.getAudioTracks().length > 0 });
  }

  async turnPicture(on) {
    if (on && !this.stream.getVideoTracks().length) await this.obtain({ audio: false, video: true });
    for (const track of this.stream.getVideoTracks()) track.enabled = on;
    this.show({ video: on && this.stream.getVideoTracks().length > 0 });
  }

  async obtain(what) {
    const { stream, troubles } = await capture(what);
    if (troubles.length) this.tell(troubles.join(" "), "warn");
    for (const track of stream.getTracks()) {
      this.stream.addTrack(track);
      await this.engine?.replaceTrack(track.kind, track);
    }
  }

  async turnScreen(on) {
    if (!on) return this.stopScreen();
    try {
      this.screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 8 } }, audio: false });
    } catch {
      return;
    }
    const [track] = this.screen.getVideoTracks();
    track.contentHint = "detail";
    track.onended = () => this.stopScreen();
    await this.engine?.replaceTrack("video", track);
    this.show({ screen: true });
  }

  async stopScreen() {
    this.screen?.getTracks().forEach((track) => track.stop());
    this.screen = null;
    await this.engine?.replaceTrack("video", this.stream.getVideoTracks()[0] ?? null);
    this.show({ screen: false });
  }

  publish() {
    // Its own stream: what the engine replaces there is not what the mirror shows.
    return this.engine.publish(new MediaStream(this.stream.getTracks()));
  }

  // --- The line

  // Sound alone, by the person's wish; by itself the ladder goes there and back.
  async setMode(mode) {
    this.wanted = mode;
    this.ladder.bound(mode === "audio" ? 0 : 3);
    this.take.bound(mode === "audio" ? 0 : 3);
    if (mode === "full") this.ladder.at = Math.max(1, this.ladder.at);
    await this.apply();
  }

  async apply() {
    const { step } = this.ladder;
    await this.engine?.setBounds({ ...step, active: step.bitrate > 0 });
    const mode = step.bitrate > 0 ? "full" : "audio";
    if (mode !== this.state.mode) {
      this.show({ mode });
      this.tell(mode === "audio" ? say(this.wanted === "audio" ? "mode_wished" : "mode_thin") : "", mode === "audio" ? "warn" : "");
      if (mode === "audio") this.still(true);
    }
    root.dataset.step = step.name;
    this.ask();
  }

  // Ask the others for what our own line takes: little at first, and on a thin one only the picture of whoever spoke last.
  ask() {
    if (!this.engine?.take) return;
    const { at, hasFallen } = this.take;
    const isOne = at === 1 && hasFallen;
    for (const id of this.engine.peers) this.engine.take(id, isOne && id !== this.last ? 0 : at);
    root.dataset.take = String(at);
  }

  async look() {
    if (!this.engine?.stats || !this.me) return;
    const stats = await this.engine.stats();
    const now = this.measure(stats);
    this.now = now;
    await this.engine.adapt?.(stats);
    if (!now.peers) return;
    const before = [this.ladder.at, this.take.at];
    this.ladder.look({ loss: now.lossOut, rtt: now.rtt, rate: now.rate });
    this.take.look({ loss: now.lossIn, rtt: now.rtt });
    if (before[0] !== this.ladder.at || before[1] !== this.take.at) await this.apply();
  }

  // What was lost each way since the last look, and the rates. Our own line is to blame for what all connections suffer;
  // what one of several suffers is the other's line, and that page asks us for less.
  measure(stats) {
    const now = { peers: stats.size ?? 0, lossOut: 0, lossIn: 0, rtt: 0, rate: Infinity, up: 0, down: 0, jitter: 0 };
    if (!(stats instanceof Map)) return now;
    const lines = [];
    for (const [id, one] of stats) {
      const old = this.before.get(id);
      this.before.set(id, one);
      const line = { out: 0, lost: 0, came: 0, rtt: one.rtt, rate: one.rate };
      for (const kind of ["audio", "video"]) {
        line.out = Math.max(line.out, one.out[kind]?.loss ?? 0);
        const [later, earlier] = [one.in[kind], old?.in[kind]];
        if (later && earlier) {
          line.lost += Math.max(0, later.lost - earlier.lost);
          line.came += Math.max(0, later.came - earlier.came);
          now.down += Math.max(0, later.bytes - earlier.bytes);
          if (kind === "audio") now.jitter = Math.max(now.jitter, later.jitter);
          if (kind === "video" && later.frames > earlier.frames) this.tiles.hideStill(id);
        }
        now.up += Math.max(0, (one.out[kind]?.bytes ?? 0) - (old?.out[kind]?.bytes ?? one.out[kind]?.bytes ?? 0));
      }
      // A connection that has only begun says nothing yet.
      if (line.lost + line.came > 10) lines.push(line);
    }
    const kbits = (bytes) => Math.round((bytes * 8) / Ladder.LOOK_MS);
    return { ...now, ...blame(lines), up: kbits(now.up), down: kbits(now.down) };
  }

  report() {
    if (!this.now?.peers) return;
    const { lossIn, jitter, rtt, up, down } = this.now;
    this.link.say("quality", { loss: Math.round(lossIn * 1000) / 10, jitter: Math.round(jitter), rtt: Math.round(rtt), up, down, mode: this.state.mode });
  }

  listen() {
    if (!this.engine?.loudness) return;
    let [loudest, most] = [null, LOUD];
    for (const [id, loud] of this.engine.loudness()) if (loud > most) [loudest, most] = [id, loud];
    this.tiles?.speaks(loudest);
    if (loudest && loudest !== this.last) {
      this.last = loudest;
      if (this.take.at === 1) this.ask();
    }
  }

  // In the mode without moving pictures: a small still every few seconds, of screen or camera.
  still(now = false) {
    if (this.state.mode !== "audio" || (!this.state.video && !this.state.screen)) return;
    if (!now && document.hidden) return;
    const video = this.tiles?.get(this.me)?.video;
    if (!video?.videoWidth) return;
    const canvas = document.createElement("canvas");
    const wide = this.state.screen ? 640 : 240;
    Object.assign(canvas, { width: wide, height: Math.round((wide * video.videoHeight) / video.videoWidth) });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const jpeg = canvas.toDataURL("image/jpeg", 0.5).split(",")[1];
    if (jpeg.length < 50_000) this.link.say("still", { jpeg });
  }
}

function blame(lines) {
  if (!lines.length) return {};
  const least = (of) => Math.min(...lines.map(of));
  return { lossOut: least((line) => line.out), lossIn: least((line) => line.lost / (line.lost + line.came)), rtt: least((line) => line.rtt), rate: Math.max(...lines.map((line) => line.rate)) };
}

door(root).then((came) => {
  root.room = new Room(came);
});
