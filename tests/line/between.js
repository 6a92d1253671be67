// Put before a page's own scripts: peers' addresses are replaced by what stands for them on the emulated line.
(() => {
  const Native = window.RTCPeerConnection;
  const all = (window.konsiliumConnections = []);

  // candidate:foundation component udp priority ADDRESS PORT typ …; TCP, IPv6 and names are left out.
  async function standIn(text) {
    const words = text.split(" ");
    if (words.length < 8 || words[2].toLowerCase() !== "udp" || !/^[\d.]+$/.test(words[4])) return "";
    words[5] = await window.konsiliumStandIn(words[4], Number(words[5]));
    return words.join(" ");
  }

  async function described({ type, sdp }) {
    const lines = await Promise.all(
      sdp.split("\r\n").map(async (line) => {
        if (!line.startsWith("a=candidate:")) return line;
        const put = await standIn(line.slice(2));
        return put && `a=${put}`;
      }),
    );
    return { type, sdp: lines.filter(Boolean).join("\r\n") + "\r\n" };
  }

  window.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      all.push(this);
      this.addEventListener("icecandidate", ({ candidate }) => {
        if (candidate?.address && candidate.port) window.konsiliumOwn(candidate.address, candidate.port);
      });
    }

    async setRemoteDescription(given) {
      if (!given?.sdp?.includes("a=candidate:")) return super.setRemoteDescription(given);
      return super.setRemoteDescription(await described(given));
    }

    async addIceCandidate(given) {
      if (!given?.candidate) return super.addIceCandidate(given);
      const candidate = await standIn(given.candidate);
      return candidate ? super.addIceCandidate({ ...(given.toJSON?.() ?? given), candidate }) : undefined;
    }
  };
})();
