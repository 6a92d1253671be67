// What a page asks of the other's sender beyond what a browser says by itself, written into the description that it sends:
// sound in pieces of 40 ms, for at 20 ms a thin line carries more headers than voice; and a careful beginning, for a
// browser's own first 300 kbit/s throw a thin line's sound away before anything is measured.
const PTIME_MS = 40;
const FIRST_KBITS = 100;

export function described({ type, sdp }) {
  const [head, ...parts] = sdp.split(/(?=^m=)/m);
  return { type, sdp: head + parts.map((part) => (part.startsWith("m=audio") ? pieces(part) : part.startsWith("m=video") ? beginning(part) : part)).join("") };
}

const pieces = (part) => `${part.replace(/^a=ptime:.*\r\n/gm, "")}a=ptime:${PTIME_MS}\r\n`;

// Each codec's own line of parameters gets one more; a codec without such a line gets one.
function beginning(part) {
  const words = `x-google-start-bitrate=${FIRST_KBITS}`;
  return part.replace(/^a=rtpmap:(\d+) (VP8|VP9|H264|AV1)\/90000\r\n/gm, (line, number) =>
    new RegExp(`^a=fmtp:${number} `, "m").test(part) ? line : `${line}a=fmtp:${number} ${words}\r\n`,
  ).replace(/^(a=fmtp:(\d+) )(?!x-google|apt=)/gm, (line, start, number) => (new RegExp(`^a=rtpmap:${number} (VP8|VP9|H264|AV1)/`, "m").test(part) ? `${start}${words};` : line));
}
