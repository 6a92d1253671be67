// One call between this page and a room codec, through Janus' SIP plugin: the consulting side dials, or is dialled.
//
// new CodecCall(grant, callbacks); ready(), call(address, stream), answer(stream), hangUp(), close(). Callbacks:
// ringing(from), stream(MediaStream), state("calling"|"up"|"over"|"failed", why).
import { Wire } from "./janus_wire.js";

const PLUGIN = "janus.plugin.sip";
const READY_MS = 8000;
const LOST = "lost";

export class CodecCall {
  #wire = null;
  #handle = null;
  #peer = null;
  #offer = null;
  #expected = null;
  #place = null;
  #isLeaving = false;

  constructor(grant, callbacks) {
    this.grant = grant;
    this.callbacks = callbacks;
    this.number = grant.keys.sip_me;
  }

  // Take the session's number at the SIP server: from now on a codec can dial it.
  async ready() {
    this.#wire = new Wire(this.grant, () => this.#over(LOST));
    await this.#wire.open();
    this.#place = this.#take();
    return this.#place;
  }

  async #take() {
    this.#handle = await this.#wire.attach(PLUGIN, (said) => this.#hear(said));
    const registered = this.#expect("registered");
    const { sip_me: username, sip_proxy: proxy } = this.grant.keys;
    // The server knows Janus by its address; the secret is nobody's.
    await this.#handle.say({ request: "register", username, proxy, secret: "-", ttl: 600 });
    return registered;
  }

  // Each call has a place of its own on the line: Janus 1.1 keeps one busy for good whose call ended while its media
  // was still being set up.
  async #takeAgain() {
    const unregistered = this.#expect("unregistered").catch(() => {});
    await this.#handle.say({ request: "unregister" }).catch(() => {});
    await unregistered;
    await this.#handle?.detach();
    if (!this.#isLeaving) await this.#take();
  }

  #expect(event) {
    return new Promise((go, fail) => {
      this.#expected = { event, go, fail };
      setTimeout(() => fail(new Error("late")), READY_MS);
    });
  }

  renew(grant) {
    this.grant = grant;
    if (this.#wire) this.#wire.token = grant.token;
  }

  async call(address, stream) {
    this.callbacks.state?.("calling");
    await this.#place;
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
    await this.#handle?.say({ request }).catch(() => {});
    this.#over("hung_up");
  }

  async close() {
    this.#isLeaving = true;
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
    if (result.event === this.#expected?.event) this.#expected.go();
    const verbs = {
      registration_failed: () => this.#expected?.fail(new Error(`${result.code}`)),
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
    if (why !== LOST && !this.#isLeaving) this.#place = this.#takeAgain().catch(() => this.callbacks.state?.("failed"));
  }
}
