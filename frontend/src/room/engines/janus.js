// A session's media through a Janus server: one line up, one line down that carries everybody.
//
// The same face as the mesh: engine.join(grant, callbacks), publish(stream), replaceTrack(kind, track),
// setBounds({bitrate, fps, scale, active}), take(id, step), stats(), loudness(), renew(grant), drop(id), leave().
// Callbacks: stream(id, MediaStream), gone(id), state("connected"|"lost", id), muted(), removed(), moved(), stale().
// `moved` says that the room is another one now, `stale` that the grant ends soon: either way a new one is wanted.
import { JanusRefused, Wire } from "./janus_wire.js";
import { STEPS, Ladder } from "./janus_ladder.js";

const PLUGIN = "janus.plugin.videoroom";
// Two copies of the own picture, of which each of the others takes the one that their line carries.
const SMALL_RATE = 130_000;
const LAYERS = [
  { rid: "h", maxBitrate: 700_000 },
  { rid: "l", scaleResolutionDownBy: 2, maxBitrate: SMALL_RATE, maxFramerate: 15 },
];
const HIGH = 1;
const LOW = 0;
const AGAIN_MS = [300, 700, 1500, 3000, 6000, 10_000];
const RENEW_MS = 5 * 60_000;
// The room isn't there (any more), or its grant is for another one.
const NO_ROOM = 426;
const UNAUTHORIZED = 433;

const wait = (ms) => new Promise((go) => setTimeout(go, ms));

export class JanusEngine {
  #run = 0;
  #wire = null;
  #up = null;
  #down = null;
  #ladder = new Ladder();
  #wanted = new Map();
  #feeds = new Set();
  #mids = new Map();
  #streams = new Map();
  #turn = Promise.resolve();
  #timers = [];
  #seen = null;
  #own = null;
  #bounds = null;

  async join(grant, callbacks) {
    this.grant = grant;
    this.callbacks = callbacks;
    this.#timers = [
      setInterval(() => this.#climb().catch(() => {}), Ladder.LOOK_MS),
      setInterval(() => callbacks.stale?.(), RENEW_MS),
    ];
    const run = this.#begin();
    await this.#enter(run).catch(() => this.#comeBack(run));
  }

  // Each entering has a number; whatever an earlier one still waits for is let go.
  #begin() {
    this.#run += 1;
    for (const side of [this.#up, this.#down]) side?.peer?.close();
    for (const id of this.#streams.keys()) this.callbacks.state?.("lost", id);
    this.#wire?.close();
    this.#wire = this.#up = this.#down = this.#seen = null;
    this.#feeds.clear();
    this.#mids.clear();
    this.#turn = Promise.resolve();
    return this.#run;
  }

  async #enter(run) {
    const wire = new Wire(this.grant, () => run === this.#run && this.#comeBack(this.#begin()));
    this.#wire = wire;
    await wire.open();
    const handle = await wire.attach(PLUGIN, (said) => run === this.#run && this.#hear(said));
    const { room, party, keys } = this.grant;
    const asked = { request: "join", ptype: "publisher", room, id: party, pin: keys.pin, token: keys.room_token };
    const { data } = await handle.say(asked);
    if (run !== this.#run) return;
    this.#up = { handle, peer: null };
    this.private = data.private_id;
    if (this.#own) await this.#send();
    this.#forget(new Set((data.publishers ?? []).map(({ id }) => id)));
    this.#follow(data.publishers ?? []);
  }

  // The line or the server broke: everything is made again, later and later.
  async #comeBack(run) {
    for (let turn = 0; run === this.#run; turn += 1) {
      await wait(AGAIN_MS[Math.min(turn, AGAIN_MS.length - 1)] * (0.7 + 0.6 * Math.random()));
      if (run !== this.#run) return;
      run = this.#begin();
      try {
        return await this.#enter(run);
      } catch (error) {
        const isElsewhere = error instanceof JanusRefused && [NO_ROOM, UNAUTHORIZED].includes(error.code);
        if (run === this.#run && isElsewhere) this.callbacks.moved?.();
      }
    }
  }

  // A newer grant of the same room goes on; of another room, everything moves there.
  async renew(grant) {
    const isSame = grant.room === this.grant.room && grant.address === this.grant.address;
    this.grant = grant;
    if (this.#wire) this.#wire.token = grant.token;
    if (isSame) return;
    const run = this.#begin();
    await this.#enter(run).catch(() => this.#comeBack(run));
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
    const sendEncodings = LAYERS.map((layer) => ({ ...layer }));
    // Sound first, always: the server mutes by this place.
    up.sound = peer.addTransceiver(sound ?? "audio", { direction: "sendonly" }).sender;
    up.picture = peer.addTransceiver(picture ?? "video", { direction: "sendonly", sendEncodings }).sender;
    peer.onicecandidate = ({ candidate }) => up.handle.trickle(candidate);
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed" && up === this.#up) this.#restart(up).catch(() => {});
    };
    await peer.setLocalDescription();
    const { jsep } = await up.handle.say({ request: "publish" }, peer.localDescription);
    await peer.setRemoteDescription(jsep);
    if (this.#bounds) await this.setBounds(this.#bounds);
  }

  async #restart(up) {
    await up.peer.setLocalDescription(await up.peer.createOffer({ iceRestart: true }));
    const { jsep } = await up.handle.say({ request: "configure", restart: true }, up.peer.localDescription);
    await up.peer.setRemoteDescription(jsep);
  }

  async replaceTrack(kind, track) {
    this.#own ??= new MediaStream();
    for (const old of this.#own.getTracks()) if (old.kind === kind) this.#own.removeTrack(old);
    if (track) this.#own.addTrack(track);
    await (kind === "audio" ? this.#up?.sound : this.#up?.picture)?.replaceTrack(track);
  }

  // Bounds of the own picture: bit/s of both copies together (0: none), frames a second, and how much smaller.
  async setBounds(bounds) {
    this.#bounds = bounds;
    const { bitrate, fps, scale = 1, active = true } = bounds;
    const sender = this.#up?.picture;
    const parameters = sender?.getParameters();
    if (!parameters?.encodings?.length) return;
    const isOn = active && bitrate > 0;
    parameters.encodings.forEach((encoding, place) => {
      const layer = LAYERS[place];
      const isHigh = layer.rid === "h";
      const left = isHigh ? bitrate - SMALL_RATE : bitrate;
      encoding.active = isOn && (!isHigh || left >= SMALL_RATE / 2);
      encoding.maxBitrate = Math.max(30_000, Math.min(layer.maxBitrate, left));
      encoding.maxFramerate = Math.max(1, Math.min(fps || 30, layer.maxFramerate ?? 30));
      encoding.scaleResolutionDownBy = isHigh ? Math.max(1, scale) : layer.scaleResolutionDownBy;
    });
    await sender.setParameters(parameters).catch(() => {});
  }

  // What is taken of somebody at most: 0 sound alone, 1 a slow picture, 2 a small one, 3 all of it.
  take(id, step) {
    if (this.#wanted.get(id) === step) return;
    this.#wanted.set(id, step);
    this.#take().catch(() => {});
  }

  get step() {
    return this.#ladder.step;
  }

  get peers() {
    return [...this.#feeds];
  }

  streamOf(id) {
    return this.#streams.get(id) ?? null;
  }

  has(id) {
    return this.#feeds.has(id) && this.#down?.peer.connectionState === "connected";
  }

  // Everybody who sends: told at joining, and with each newcomer.
  #follow(publishers) {
    const fresh = publishers.filter(({ id }) => !this.#feeds.has(id));
    for (const { id } of fresh) this.#feeds.add(id);
    const streams = fresh.map(({ id }) => ({ feed: id }));
    const run = this.#run;
    if (streams.length) this.#inTurn(() => run === this.#run && (this.#down ? this.#more(streams) : this.#receive(streams)));
  }

  #inTurn(work) {
    this.#turn = this.#turn.then(work).catch(() => {});
    return this.#turn;
  }

  async #receive(streams) {
    const run = this.#run;
    const handle = await this.#wire.attach(PLUGIN, (said) => run === this.#run && this.#hearDown(said));
    const peer = new RTCPeerConnection({ iceServers: this.grant.ice });
    this.#down = { handle, peer };
    peer.onicecandidate = ({ candidate }) => handle.trickle(candidate);
    const { room, keys } = this.grant;
    const asked = { request: "join", ptype: "subscriber", room, pin: keys.pin, token: keys.room_token };
    await this.#accept(await handle.say({ ...asked, private_id: this.private, streams }));
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
    for (const old of stream.getTracks()) if (old.kind === track.kind) stream.removeTrack(old);
    stream.addTrack(track);
    this.#streams.set(id, stream);
    this.callbacks.stream?.(id, stream);
    this.callbacks.state?.("connected", id);
  }

  #lose(id) {
    this.#feeds.delete(id);
    if (this.#streams.delete(id)) this.callbacks.gone?.(id);
  }

  // After coming back: who isn't there any more is gone.
  #forget(here) {
    for (const id of [...this.#streams.keys()]) if (!here.has(id)) this.#lose(id);
  }

  // Whoever left the room's page may still send: the server says when they don't.
  drop() {}

  #hear(said) {
    const data = said.plugindata?.data ?? {};
    if (data.publishers) this.#follow(data.publishers);
    if (data.videoroom === "destroyed") this.callbacks.moved?.();
    if (data.leaving === "ok") this.callbacks.removed?.();
    for (const id of [data.leaving, data.unpublished, data.kicked]) if (id && id !== "ok") this.#lose(id);
    if (data.moderation === "muted") this.callbacks.muted?.();
  }

  // The server changes what it sends by itself when somebody leaves, and describes it anew.
  #hearDown(said) {
    const data = said.plugindata?.data ?? {};
    if (said.jsep) this.#inTurn(() => this.#accept({ data, jsep: said.jsep }));
  }

  async #climb() {
    const now = { packets: 0, lost: 0 };
    for (const row of (await this.#down?.peer.getStats())?.values() ?? []) {
      if (row.type !== "inbound-rtp") continue;
      now.packets += row.packetsReceived;
      now.lost += Math.max(0, row.packetsLost);
    }
    const before = this.#seen;
    this.#seen = now;
    if (!before || now.packets <= before.packets) return;
    const lost = Math.max(0, now.lost - before.lost);
    const step = this.#ladder.step;
    if (this.#ladder.look(lost / (lost + now.packets - before.packets)) !== step) await this.#take();
  }

  async #take() {
    if (!this.#down) return;
    const own = STEPS.indexOf(this.#ladder.step);
    const streams = [...this.#mids]
      .filter(([, { type }]) => type === "video")
      .map(([mid, { feed }]) => {
        const wanted = this.#wanted.get(feed) ?? 3;
        const isAll = own === 2 && wanted === 3;
        return { mid, send: own > 0 && wanted > 0, substream: isAll ? HIGH : LOW, temporal: wanted === 1 ? 0 : 2 };
      });
    if (streams.length) await this.#down.handle.say({ request: "configure", streams }).catch(() => {});
  }

  // As the mesh tells it, of each of the others; what goes up goes up once, so its bytes stand beside the first of them.
  async stats() {
    const found = new Map();
    for (const id of this.#feeds) found.set(id, { in: {}, out: {}, rtt: 0, rate: Infinity });
    if (!found.size || !this.#up?.peer || !this.#down) return found;
    for (const row of (await this.#down.peer.getStats()).values()) {
      if (row.type === "inbound-rtp") this.#received(found, row);
      if (row.type === "candidate-pair" && row.nominated) for (const one of found.values()) one.rtt = (row.currentRoundTripTime ?? 0) * 1000;
    }
    const up = { out: {}, rate: Infinity };
    for (const row of (await this.#up.peer.getStats()).values()) sent(up, row);
    let isFirst = true;
    for (const one of found.values()) {
      one.rate = up.rate;
      for (const [kind, told] of Object.entries(up.out)) one.out[kind] = { ...told, bytes: isFirst ? told.bytes : 0 };
      isFirst = false;
    }
    return found;
  }

  #received(found, row) {
    const one = found.get(this.#mids.get(row.mid)?.feed);
    if (!one) return;
    one.in[row.kind] = {
      lost: row.packetsLost,
      came: row.packetsReceived,
      bytes: row.bytesReceived,
      jitter: (row.jitter ?? 0) * 1000,
      frames: row.framesDecoded ?? 0,
      concealed: row.concealedSamples ?? 0,
    };
  }

  // How loud each of the others is now, 0…1.
  loudness() {
    const found = new Map();
    for (const { mid, receiver } of this.#down?.peer.getTransceivers() ?? []) {
      const { feed, type } = this.#mids.get(mid) ?? {};
      if (type === "audio") found.set(feed, receiver.getSynchronizationSources?.()[0]?.audioLevel ?? 0);
    }
    return found;
  }

  async leave() {
    const { handle } = this.#up ?? {};
    for (const timer of this.#timers) clearInterval(timer);
    await handle?.say({ request: "leave" }).catch(() => {});
    this.#begin();
    this.#streams.clear();
  }
}

function sent(one, row) {
  const known = one.out[row.kind] ?? { bytes: 0, loss: 0, rtt: 0 };
  if (row.type === "outbound-rtp") one.out[row.kind] = { ...known, bytes: known.bytes + row.bytesSent };
  if (row.type === "remote-inbound-rtp") {
    const loss = Math.max(known.loss, row.fractionLost ?? 0);
    one.out[row.kind] = { ...known, loss, rtt: (row.roundTripTime ?? 0) * 1000 };
  }
  if (row.type === "candidate-pair" && row.nominated) one.rate = row.availableOutgoingBitrate ?? one.rate;
}
