// One call between this page and a room codec, through Janus' SIP plugin: the consulting side dials, or is dialled.
//
// new CodecCall(grant, callbacks); ready(), call(address, stream), answer(stream), hangUp(), close(). Callbacks:
// ringing(from), stream(MediaStream), state("calling"|"up"|"over", why).
import { Wire } from "./janus_wire.js";

const PLUGIN = "janus.plugin.sip";
const READY_MS = 8000;
const LATE_MS = 3000;

export class CodecCall {
  #wire = null;
  #handle = null;
  #peer = null;
  #offer = null;
  #isReady = null;
  #endedAt = -Infinity;

  constructor(grant, callbacks) {
    this.grant = grant;
    this.callbacks = callbacks;
    this.number = grant.keys.sip_me;
  }

  // Take the session's number at the SIP server: from now on a codec can dial it.
  async ready() {
    this.#wire = new Wire(this.grant, () => this.#over("lost"));
    await this.#wire.open();
    this.#handle = await this.#wire.attach(PLUGIN, (said) => this.#hear(said));
    const isReady = new Promise((go, fail) => {
      this.#isReady = { go, fail };
      setTimeout(() => fail(new Error("late")), READY_MS);
    });
    const { sip_me: username, sip_proxy: proxy } = this.grant.keys;
    // The server knows Janus by its address; the secret is nobody's.
    await this.#handle.say({ request: "register", username, proxy, secret: "-", ttl: 600 });
    return isReady;
  }

  renew(grant) {
    this.grant = grant;
    if (this.#wire) this.#wire.token = grant.token;
  }

  async call(address, stream) {
    this.callbacks.state?.("calling");
    const peer = this.#make(stream);
    await peer.setLocalDescription();
    await this.#gathered(peer);
    await this.#handle.say({ request: "call", uri: address, autoaccept_reinvites: false }, peer.localDescription);
  }

  async answer(stream) {
    const peer = this.#make(stream, this.#offer);
    await peer.setRemoteDescription(this.#offer);
    for (const transceiver of peer.getTransceivers()) {
      const track = stream.getTracks().find(({ kind }) => kind === transceiver.receiver.track.kind);
      if (track) await transceiver.sender.replaceTrack(track);
      transceiver.direction = track ? "sendrecv" : "recvonly";
    }
    await peer.setLocalDescription();
    await this.#gathered(peer);
    await this.#handle.say({ request: "accept" }, peer.localDescription);
    this.callbacks.state?.("up");
  }

  async hangUp() {
    const request = this.#peer ? "hangup" : "decline";
    this.#endedAt = performance.now();
    await this.#handle?.say({ request }).catch(() => {});
    this.#over("hung_up");
  }

  async close() {
    if (this.#peer) await this.hangUp();
    await this.#handle?.say({ request: "unregister" }).catch(() => {});
    await this.#wire?.close();
    this.#wire = this.#handle = null;
  }

  #make(stream, offer) {
    const peer = new RTCPeerConnection({ iceServers: this.grant.ice });
    this.#peer = peer;
    const came = new MediaStream();
    if (!offer) for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendrecv" });
    peer.ontrack = ({ track }) => {
      came.addTrack(track);
      this.callbacks.stream?.(came);
    };
    return peer;
  }

  // The other side of the plugin speaks SIP, which wants all addresses at once.
  #gathered(peer) {
    if (peer.iceGatheringState === "complete") return Promise.resolve();
    return new Promise((go) => {
      setTimeout(go, 2000);
      peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && go();
    });
  }

  async #hear(said) {
    const result = said.plugindata?.data?.result ?? {};
    // The end of a call that we ended may come after the beginning of the next one.
    const isOld = !this.#peer && performance.now() - this.#endedAt < LATE_MS;
    if (result.event === "hangup" && isOld) return;
    const verbs = {
      registered: () => this.#isReady?.go(),
      registration_failed: () => this.#isReady?.fail(new Error(`${result.code}`)),
      incomingcall: () => {
        this.#offer = said.jsep;
        this.callbacks.ringing?.(result.username);
      },
      progress: () => said.jsep && this.#peer?.setRemoteDescription(said.jsep),
      accepted: () => this.#up(said.jsep),
      hangup: () => this.#over(String(result.code ?? "")),
    };
    await verbs[result.event]?.();
  }

  async #up(jsep) {
    if (jsep && this.#peer?.signalingState === "have-local-offer") await this.#peer.setRemoteDescription(jsep);
    this.callbacks.state?.("up");
  }

  #over(why) {
    if (!this.#peer && !this.#offer) return;
    this.#peer?.close();
    this.#peer = this.#offer = null;
    this.callbacks.state?.("over", why);
  }
}
