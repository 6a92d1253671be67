// A session's media through a Janus server: one line up, one line down that carries everybody.
//
// engine.join(grant, callbacks), publish(stream), replaceTrack(kind, track), setBounds({bitrate, fps, scale}),
// watch(step), stats(), renew(grant), leave(). Callbacks: stream(id, MediaStream), gone(id), state("connected"|"lost"),
// speaking(id, is), muted(), removed(), moved(). `moved` says that the room is another one: ask for a new grant.
import { JanusRefused, Wire } from "./janus_wire.js";
import { Ladder } from "./janus_ladder.js";

const PLUGIN = "janus.plugin.videoroom";
const LAYERS = [
  { rid: "h", maxBitrate: 700_000 },
  { rid: "l", scaleResolutionDownBy: 2, maxBitrate: 130_000, maxFramerate: 15 },
];
const HIGH = 1;
const LOW = 0;
const AGAIN_MS = [300, 700, 1500, 3000, 6000, 10_000];
// The room isn't there (any more), or its grant is for another one.
const NO_ROOM = 426;
const UNAUTHORIZED = 433;

export class JanusEngine {
  #wire = null;
  #up = null;
  #down = null;
  #ladder = new Ladder();
  #feeds = new Map();
  #mids = new Map();
  #streams = new Map();
  #turn = Promise.resolve();
  #timer = 0;
  #seen = null;
  #isLeft = false;
  #own = null;

  async join(grant, callbacks) {
    this.grant = grant;
    this.callbacks = callbacks;
    this.#isLeft = false;
    await this.#enter();
    this.#timer = setInterval(() => this.#climb().catch(() => {}), Ladder.LOOK_MS);
  }

  async #enter() {
    this.#wire = new Wire(this.grant, () => this.#comeBack());
    await this.#wire.open();
    const handle = await this.#wire.attach(PLUGIN, (said) => this.#hear(said));
    this.#up = { handle, peer: null };
    const { room, party, keys } = this.grant;
    const { data } = await handle.say({
      request: "join",
      ptype: "publisher",
      room,
      id: party,
      pin: keys.pin,
      token: keys.room_token,
    });
    this.private = data.private_id;
    this.callbacks.state?.("connected");
    if (this.#own) await this.#send();
    this.#follow(data.publishers ?? []);
  }

  // The line or the server broke: everything is made again, later and later, with a fresh grant when one is to be had.
  async #comeBack() {
    if (this.#isLeft) return;
    this.callbacks.state?.("lost");
    for (let turn = 0; !this.#isLeft; turn += 1) {
      const pause = AGAIN_MS[Math.min(turn, AGAIN_MS.length - 1)];
      await new Promise((go) => setTimeout(go, pause * (0.7 + 0.6 * Math.random())));
      if (this.#isLeft) return;
      this.#drop();
      try {
        await this.#enter();
        return;
      } catch (error) {
        this.#wire?.close();
        if (error instanceof JanusRefused && [NO_ROOM, UNAUTHORIZED].includes(error.code)) this.callbacks.moved?.();
      }
    }
  }

  #drop() {
    for (const side of [this.#up, this.#down]) side?.peer?.close();
    for (const id of this.#streams.keys()) this.callbacks.gone?.(id);
    this.#up = this.#down = null;
    this.#feeds.clear();
    this.#mids.clear();
    this.#streams.clear();
    this.#turn = Promise.resolve();
    this.#seen = null;
  }

  // A newer grant of the same room goes on; of another room, everything moves there.
  async renew(grant) {
    const isSame = grant.room === this.grant.room && grant.address === this.grant.address;
    this.grant = grant;
    if (this.#wire) this.#wire.token = grant.token;
    if (isSame || this.#isLeft) return;
    const old = this.#wire;
    this.#drop();
    await old?.close();
    await this.#enter().catch(() => this.#comeBack());
  }

  async publish(stream) {
    this.#own = stream;
    if (this.#up && !this.#up.peer) await this.#send();
  }

  async #send() {
    const peer = new RTCPeerConnection({ iceServers: this.grant.ice });
    const up = this.#up;
    up.peer = peer;
    const [sound] = this.#own.getAudioTracks();
    const [picture] = this.#own.getVideoTracks();
    // Sound first, always: the server mutes by this place.
    up.sound = peer.addTransceiver(sound ?? "audio", { direction: "sendonly" });
    up.picture = peer.addTransceiver(picture ?? "video", { direction: "sendonly", sendEncodings: LAYERS.map((layer) => ({ ...layer })) });
    peer.onicecandidate = ({ candidate }) => up.handle.trickle(candidate);
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed" && up === this.#up) this.#restart(up).catch(() => {});
    };
    await peer.setLocalDescription();
    const { jsep } = await up.handle.say({ request: "publish" }, peer.localDescription);
    await peer.setRemoteDescription(jsep);
  }

  async #restart(up) {
    await up.peer.setLocalDescription(await up.peer.createOffer({ iceRestart: true }));
    const { jsep } = await up.handle.say({ request: "configure", restart: true }, up.peer.localDescription);
    await up.peer.setRemoteDescription(jsep);
  }

  async replaceTrack(kind, track) {
    if (this.#own) {
      for (const old of this.#own.getTracks()) if (old.kind === kind) this.#own.removeTrack(old);
      if (track) this.#own.addTrack(track);
    }
    const transceiver = kind === "audio" ? this.#up?.sound : this.#up?.picture;
    await transceiver?.sender.replaceTrack(track);
  }

  // Bounds of the own picture: bit/s of the larger copy (0: only the small one), frames a second, and how much smaller.
  async setBounds({ bitrate, fps, scale, active = true }) {
    const sender = this.#up?.picture?.sender;
    if (!sender) return;
    const parameters = sender.getParameters();
    parameters.encodings?.forEach((encoding, place) => {
      const layer = LAYERS[place];
      const isHigh = layer.rid === "h";
      encoding.active = active && (!isHigh || bitrate !== 0);
      if (isHigh && bitrate) encoding.maxBitrate = Math.min(bitrate, layer.maxBitrate);
      encoding.maxFramerate = fps ? Math.min(fps, layer.maxFramerate ?? fps) : layer.maxFramerate;
      encoding.scaleResolutionDownBy = (layer.scaleResolutionDownBy ?? 1) * (scale || 1);
      if (encoding.maxFramerate === undefined) delete encoding.maxFramerate;
    });
    await sender.setParameters(parameters).catch(() => {});
  }

  // What is taken of the others at most: "sound", "low" or "high".
  watch(highest) {
    this.#ladder.bound(highest);
    return this.#take();
  }

  get step() {
    return this.#ladder.step;
  }

  // Everybody who sends: told at joining, and with each newcomer.
  #follow(publishers) {
    const fresh = publishers.filter(({ id }) => !this.#feeds.has(id));
    for (const one of fresh) this.#feeds.set(one.id, one);
    const streams = fresh.map(({ id }) => ({ feed: id }));
    if (streams.length) this.#inTurn(() => (this.#down ? this.#more(streams) : this.#receive(streams)));
  }

  #inTurn(work) {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return this.#turn;
  }

  async #receive(streams) {
    const handle = await this.#wire.attach(PLUGIN, (said) => this.#hearDown(said));
    const peer = new RTCPeerConnection({ iceServers: this.grant.ice });
    this.#down = { handle, peer };
    peer.onicecandidate = ({ candidate }) => handle.trickle(candidate);
    const { room, keys } = this.grant;
    const told = await handle.say({
      request: "join",
      ptype: "subscriber",
      room,
      pin: keys.pin,
      token: keys.room_token,
      private_id: this.private,
      streams,
    });
    await this.#accept(told);
  }

  async #more(streams) {
    await this.#accept(await this.#down.handle.say({ request: "subscribe", streams }));
  }

  async #accept({ data, jsep }) {
    for (const { mid, feed_id: feed, type } of data.streams ?? []) {
      if (feed) this.#mids.set(mid, { feed, type });
      else this.#mids.delete(mid);
    }
    if (!jsep) return;
    const { peer, handle } = this.#down;
    await peer.setRemoteDescription(jsep);
    await peer.setLocalDescription();
    await handle.say({ request: "start" }, peer.localDescription);
    // A newcomer may be given the place of somebody who left, of which the browser tells nothing.
    for (const { mid, receiver } of peer.getTransceivers()) this.#arrive(mid, receiver.track);
    await this.#take();
  }

  #arrive(mid, track) {
    const id = this.#mids.get(mid)?.feed;
    if (!id) return;
    const stream = this.#streams.get(id) ?? new MediaStream();
    if (stream.getTracks().includes(track)) return;
    for (const old of stream.getTracks()) if (old.kind === track.kind && old !== track) stream.removeTrack(old);
    stream.addTrack(track);
    this.#streams.set(id, stream);
    this.callbacks.stream?.(id, stream);
  }

  #lose(id) {
    if (!this.#feeds.delete(id)) return;
    this.#streams.delete(id);
    this.callbacks.gone?.(id);
  }

  #hear(said) {
    const data = said.plugindata?.data ?? {};
    if (data.publishers) this.#follow(data.publishers);
    if (data.videoroom === "destroyed") this.callbacks.moved?.();
    if (data.leaving === "ok") this.callbacks.removed?.();
    for (const id of [data.leaving, data.unpublished, data.kicked]) if (id && id !== "ok") this.#lose(id);
    if (data.videoroom === "talking" || data.videoroom === "stopped-talking") {
      this.callbacks.speaking?.(data.id, data.videoroom === "talking");
    }
    if (data.moderation === "muted") this.callbacks.muted?.();
  }

  // The server changes what it sends by itself when somebody leaves, and describes it anew.
  #hearDown(said) {
    const data = said.plugindata?.data ?? {};
    if (said.jsep) this.#inTurn(() => this.#accept({ data, jsep: said.jsep }));
  }

  async #climb() {
    const now = await this.#received();
    const before = this.#seen;
    this.#seen = now;
    if (!before || now.packets <= before.packets) return;
    const lost = Math.max(0, now.lost - before.lost);
    const step = this.#ladder.step;
    if (this.#ladder.look(lost / (lost + now.packets - before.packets)) !== step) await this.#take();
  }

  async #received() {
    const sum = { packets: 0, lost: 0 };
    for (const one of (await this.#down?.peer.getStats())?.values() ?? []) {
      if (one.type !== "inbound-rtp") continue;
      sum.packets += one.packetsReceived;
      sum.lost += Math.max(0, one.packetsLost);
    }
    return sum;
  }

  async #take() {
    if (!this.#down) return;
    const step = this.#ladder.step;
    const streams = [...this.#mids]
      .filter(([, { type }]) => type === "video")
      .map(([mid]) => ({ mid, send: step !== "sound", substream: step === "high" ? HIGH : LOW }));
    if (streams.length) await this.#down.handle.say({ request: "configure", streams }).catch(() => {});
  }

  // Both lines' own reports, for whoever sums them.
  async stats() {
    const reports = [];
    for (const side of [this.#up, this.#down]) if (side?.peer) reports.push(...(await side.peer.getStats()).values());
    return reports;
  }

  async leave() {
    this.#isLeft = true;
    clearInterval(this.#timer);
    await this.#up?.handle.say({ request: "leave" }).catch(() => {});
    this.#drop();
    await this.#wire?.close();
    this.#wire = null;
  }
}
