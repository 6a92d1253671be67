// The consulting side's page with a room codec on the line.
import { CodecCall } from "/engines/janus_sip.js";
import { own } from "/party.js";

const line = (window.line = { events: [] });

line.begin = async (grant, colour, hertz) => {
  line.own = own(colour, hertz);
  line.call = new CodecCall(grant, {
    ringing: (from) => line.events.push(["ringing", from]),
    state: (...said) => line.events.push(said.map(String)),
    stream: (stream) => {
      party.streams.codec = stream;
      party.watch("codec", stream);
    },
  });
  await line.call.ready();
};
