// A session's media from page to page: a connection to each of the others, found through the room's own socket.
//
// engine.join(grant, callbacks), publish(stream), replaceTrack(kind, track), setBounds({bitrate, fps, scale, active}),
// take(id, step), stats(), renew(grant), leave(). Callbacks: send(id, body), stream(id, MediaStream), gone(id),
// state("connected"|"lost", id). Who comes calls everybody who is there; after that either side may renegotiate, and of
// two offers at once the polite side gives way.
import { QUEUE_MS } from "../ladder.js";
import { described } from "./describing.js";

const KINDS = ["audio", "video"];
// Voice beside no picture or a small one, and beside one of more than WIDE.
const WIDE = 200_000;
const THIN_VOICE = 16_000;
const VOICE = 32_000;
const SLOW = 90_000;
const LEAST = 40_000;
// How a picture grows from look to look, and how it shrinks where it gets lost: a jump throws a thin line's sound away.
const GROWS = 1.4;
const SHRINKS = 0.7;
const FALLS = 0.3;
const LOST = 0.04;
const RUINED = 0.15;
// Of a stream that stopped the last report stays: an old one says nothing.
const REPORT_MS = 6000;
const LOST_MS = 4000;

export class MeshEngine {
  #peers = new Map();
  #own = new MediaStream();
  #bounds = null;

  constructor() {
    // Another page in the same seat is another one to connect to.
    this.run = crypto.randomUUID();
  }

  async join(grant, callbacks) {
    this.grant = grant;
    this.callbacks = callbacks;
    this.me = grant.party;
  }

  async renew(grant) {
    this.grant = grant;
  }

  // Call somebody who was here before us, unless we are connected already.
  call(id) {
    const known = this.#peers.get(id);
    if (known && ["connected", "connecting", "new"].includes(known.pc.connectionState)) return;
    const peer = this.#make(id);
    for (const kind of KINDS) peer.senders[kind] = peer.pc.addTransceiver(this.#track(kind) ?? kind, { direction: "sendrecv" }).sender;
    this.#tune(peer);
  }

  has(id) {
    return this.#peers.get(id)?.pc.connectionState === "connected";
  }

  #track(kind) {
    return this.#own.getTracks().find((track) => track.kind === kind) ?? null;
  }

  #make(id) {
    this.drop(id);
    const pc = new RTCPeerConnection({ iceServers: this.grant.ice, bundlePolicy: "max-bundle" });
    const peer = { id, pc, polite: this.me > id, senders: {}, stream: new MediaStream(), run: null, wanted: 1, most: LEAST, shortest: Infinity, offering: false, ignoring: false };
    this.#peers.set(id, peer);
    pc.onicecandidate = ({ candidate }) => candidate && this.#say(peer, { candidate });
    pc.onnegotiationneeded = () => this.#offer(peer).catch(() => {});
    pc.ontrack = ({ track }) => {
      for (const old of peer.stream.getTracks()) if (old.kind === track.kind) peer.stream.removeTrack(old);
      peer.stream.addTrack(track);
      this.callbacks.stream(id, peer.stream);
    };
    pc.onconnectionstatechange = () => this.#changed(peer);
    return peer;
  }

  #say(peer, body) {
    this.callbacks.send(peer.id, { ...body, run: this.run });
  }

  #changed(peer) {
    const { connectionState } = peer.pc;
    clearTimeout(peer.timer);
    if (connectionState === "connected") this.callbacks.state?.("connected", peer.id);
    if (connectionState === "disconnected") peer.timer = setTimeout(() => this.#restart(peer), LOST_MS);
    if (connectionState === "failed") this.#restart(peer);
  }

  #restart(peer) {
    this.callbacks.state?.("lost", peer.id);
    if (this.#peers.get(peer.id) === peer) peer.pc.restartIce();
  }

  async #offer(peer) {
    peer.offering = true;
    try {
      await peer.pc.setLocalDescription();
      this.#say(peer, { description: described(peer.pc.localDescription) });
    } finally {
      peer.offering = false;
    }
  }

  // What another page told us to find a way to it.
  async hear(id, body) {
    let peer = this.#peers.get(id);
    const isOffer = body.description?.type === "offer";
    if (peer?.run && body.run !== peer.run && isOffer) peer = null;
    if (!peer && !isOffer) return;
    if (!peer) peer = this.#make(id);
    peer.run = body.run;
    if (body.take !== undefined) return this.#want(peer, body.take);
    if (body.candidate) return void (await peer.pc.addIceCandidate(body.candidate).catch(() => {}));
    if (!body.description) return;
    const clashes = isOffer && (peer.offering || peer.pc.signalingState !== "stable");
    peer.ignoring = !peer.polite && clashes;
    if (peer.ignoring) return;
    await peer.pc.setRemoteDescription(body.description);
    if (!isOffer) return;
    await this.#answer(peer);
  }

  async #answer(peer) {
    for (const transceiver of peer.pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      if (peer.senders[kind]) continue;
      peer.senders[kind] = transceiver.sender;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(this.#track(kind));
    }
    await this.#tune(peer);
    await peer.pc.setLocalDescription();
    this.#say(peer, { description: described(peer.pc.localDescription) });
    this.#tune(peer);
  }

  async publish(stream) {
    this.#own = stream;
    for (const kind of KINDS) await this.#replaceEverywhere(kind, this.#track(kind));
  }

  async replaceTrack(kind, track) {
    for (const old of this.#own.getTracks()) if (old.kind === kind) this.#own.removeTrack(old);
    if (track) this.#own.addTrack(track);
    await this.#replaceEverywhere(kind, track);
  }

  async #replaceEverywhere(kind, track) {
    for (const peer of this.#peers.values()) await peer.senders[kind]?.replaceTrack(track).catch(() => {});
  }

  // Bounds of the own picture for everybody; what one of the others wants less of is bounded for that one.
  async setBounds(bounds) {
    this.#bounds = bounds;
    await Promise.all([...this.#peers.values()].map((peer) => this.#tune(peer)));
  }

  // Ask somebody for what our line takes: 0 sound alone, 1 a slow picture, as before anybody has asked, 2 a small one, 3 all of it.
  take(id, step) {
    const peer = this.#peers.get(id);
    if (!peer || peer.taken === step) return;
    peer.taken = step;
    this.#say(peer, { take: step });
  }

  #want(peer, step) {
    peer.wanted = [0, 1, 2, 3].includes(step) ? step : 3;
    return this.#tune(peer);
  }

  async #tune(peer) {
    const { bitrate, fps, scale } = this.#bounds ?? { bitrate: SLOW, fps: 6, scale: 2 };
    const most = [0, SLOW, 220_000, Infinity][peer.wanted];
    const isThin = Math.min(bitrate, most) <= SLOW;
    // The slow picture goes to everybody at once over a line that may carry no more than one.
    const wide = isThin ? Math.max(SLOW / this.#peers.size, LEAST) : Math.min(bitrate, most);
    peer.most = Math.min(peer.most, wide);
    const own = bitrate > 0 && most > 0 ? Math.max(peer.most, LEAST) : 0;
    const active = own > 0;
    const voice = own > WIDE ? VOICE : THIN_VOICE;
    await this.#set(peer.senders.audio, { maxBitrate: voice, priority: "high", networkPriority: "high" });
    await this.#set(peer.senders.video, {
      active,
      maxBitrate: active ? own : 30_000,
      maxFramerate: Math.max(1, peer.wanted === 1 ? Math.min(fps, 6) : fps),
      scaleResolutionDownBy: Math.max(1, peer.wanted === 1 ? Math.max(scale, 2) : scale),
    });
  }

  // After each look: a little more for whom nothing gets lost or late, much less for whom much gets lost.
  async adapt(stats) {
    for (const peer of this.#peers.values()) {
      const { out = {}, rtt = 0 } = stats.get(peer.id) ?? {};
      const loss = Math.max(out.audio?.loss ?? 0, out.video?.loss ?? 0);
      if (rtt > 0) peer.shortest = Math.min(peer.shortest, rtt);
      const isLate = rtt > peer.shortest + QUEUE_MS / 2;
      peer.most = Math.max(LEAST, peer.most * (loss > RUINED ? FALLS : loss > LOST || isLate ? SHRINKS : GROWS));
      await this.#tune(peer);
    }
  }

  async #set(sender, values) {
    if (!sender) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], values);
    await sender.setParameters(parameters).catch(() => {});
  }

  // Of each of the others: packets lost and come, what was sent, round trip, and the rate that the browser believes in.
  async stats() {
    const found = new Map();
    for (const [id, { pc }] of this.#peers) {
      const one = { in: {}, out: {}, rtt: 0, rate: Infinity };
      for (const row of (await pc.getStats()).values()) {
        if (row.type === "inbound-rtp") one.in[row.kind] = { lost: row.packetsLost, came: row.packetsReceived, bytes: row.bytesReceived, jitter: (row.jitter ?? 0) * 1000, frames: row.framesDecoded ?? 0, concealed: row.concealedSamples ?? 0 };
        if (row.type === "remote-inbound-rtp") one.out[row.kind] = { ...one.out[row.kind], loss: Date.now() - row.timestamp < REPORT_MS ? (row.fractionLost ?? 0) : 0, rtt: (row.roundTripTime ?? 0) * 1000 };
        if (row.type === "outbound-rtp") one.out[row.kind] = { ...one.out[row.kind], bytes: row.bytesSent };
        if (row.type === "candidate-pair" && row.nominated) {
          one.rate = row.availableOutgoingBitrate ?? one.rate;
          one.rtt = (row.currentRoundTripTime ?? 0) * 1000;
        }
      }
      found.set(id, one);
    }
    return found;
  }

  // How loud each of the others is now, 0…1.
  loudness() {
    const found = new Map();
    for (const [id, { pc }] of this.#peers) {
      const sound = pc.getReceivers().find(({ track }) => track.kind === "audio");
      found.set(id, sound?.getSynchronizationSources?.()[0]?.audioLevel ?? 0);
    }
    return found;
  }

  drop(id) {
    const peer = this.#peers.get(id);
    if (!peer) return;
    clearTimeout(peer.timer);
    peer.pc.close();
    this.#peers.delete(id);
    this.callbacks.gone?.(id);
  }

  get peers() {
    return [...this.#peers.keys()];
  }

  leave() {
    for (const id of this.peers) this.drop(id);
  }
}
