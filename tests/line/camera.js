// A camera and a microphone as a thin line meets them: a picture that moves and has noise, and a sound that never rests.
// A canvas of plain colour would fit through any line.
(() => {
  const [WIDE, HIGH, FPS] = [640, 360, 20];

  function picture() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: WIDE, height: HIGH });
    const ink = canvas.getContext("2d", { alpha: false });
    const noise = [0, 1, 2, 3].map(grain);
    let turn = 0;
    const draw = () => {
      turn += 1;
      const light = ink.createLinearGradient(0, 0, WIDE, HIGH);
      light.addColorStop(0, "#8a7a6a");
      light.addColorStop(1, "#3a4a5a");
      ink.fillStyle = light;
      ink.fillRect(0, 0, WIDE, HIGH);
      ink.fillStyle = "#d8b49a";
      ink.beginPath();
      ink.ellipse(WIDE / 2 + 40 * Math.sin(turn / 9), HIGH / 2 + 14 * Math.sin(turn / 5), 90, 120, 0, 0, 7);
      ink.fill();
      ink.globalAlpha = 0.12;
      ink.drawImage(noise[turn % noise.length], 0, 0);
      ink.globalAlpha = 1;
    };
    draw();
    setInterval(draw, 1000 / FPS);
    return canvas.captureStream(FPS).getVideoTracks()[0];
  }

  function grain() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: WIDE, height: HIGH });
    const ink = canvas.getContext("2d");
    const pixels = ink.createImageData(WIDE, HIGH);
    const values = new Uint32Array(pixels.data.buffer);
    for (let at = 0; at < values.length; at += 1) values[at] = 0xff000000 | (Math.floor(Math.random() * 256) * 0x10101);
    ink.putImageData(pixels, 0, 0);
    return canvas;
  }

  function sound() {
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    for (const tone of [220, 331, 497]) {
      const voice = new OscillatorNode(context, { frequency: tone, type: "sawtooth" });
      voice.connect(new GainNode(context, { gain: 0.1 })).connect(out);
      voice.start();
    }
    return out.stream.getAudioTracks()[0];
  }

  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => new MediaStream([audio && sound(), video && picture()].filter(Boolean));
})();
