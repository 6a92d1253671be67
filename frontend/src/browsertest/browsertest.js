// The check of this computer: one part after the other, each found on the page, then kept by the server.
import { checkCamera } from "./camera.js";
import { config, say, send } from "./config.js";
import { checkLine } from "./line.js";
import { checkMicrophone, playTone } from "./sound.js";

const by = (id) => document.getElementById(id);
const about = by("about");
const telling = by("telling");

const tell = (text, isBad = false) => {
  telling.hidden = !text;
  telling.textContent = text;
  telling.classList.toggle("bad", isBad);
};

function begin(part, text) {
  for (const one of by("parts").children) one.toggleAttribute("aria-current", one.dataset.part === part);
  tell(text);
}

function done(part, state) {
  const item = by("parts").querySelector(`[data-part=${part}]`);
  item.dataset.state = state;
  item.querySelector(".found").textContent = ["ok", "heard"].includes(state) ? "✓" : ["untested", "no_relay"].includes(state) ? "–" : "✗";
}

const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());

async function camera() {
  begin("camera", say("asking"));
  const looking = () => tell(say("looking"));
  by("preview").addEventListener("playing", looking, { once: true });
  const { found, stream } = await checkCamera(by("preview"));
  stop(stream);
  by("preview").hidden = true;
  by("preview").removeEventListener("playing", looking);
  return found;
}

async function microphone(context) {
  begin("microphone", `${say("asking_microphone")} ${say("speak")}`);
  const { found, stream } = await checkMicrophone(context, by("level"));
  stop(stream);
  by("level").hidden = true;
  return found;
}

async function speakers(context) {
  begin("speakers", say("tone"));
  const place = by("heard");
  await playTone(context);
  const answer = await new Promise((resolve) => {
    const button = (name, onclick) => {
      const made = document.createElement("button");
      [made.type, made.className, made.textContent, made.dataset.name] = ["button", "button small", say(name), name];
      made.addEventListener("click", onclick);
      return made;
    };
    place.replaceChildren(button("yes", () => resolve("heard")), button("no", () => resolve("not_heard")), button("again", () => playTone(context)));
    place.hidden = false;
    place.firstChild.focus();
  });
  place.hidden = true;
  return { speakers: answer };
}

async function line() {
  begin("line", say("measuring"));
  const { servers } = await send(config.relays);
  const found = await checkLine(servers, by("measured")).catch(() => ({ line: "blocked" }));
  by("measured").hidden = true;
  return found;
}

async function check() {
  // Made while the button is pressed: without a press a browser keeps it silent.
  const context = new AudioContext();
  const measured = {};
  const parts = { camera, microphone: () => microphone(context), speakers: () => speakers(context), line };
  for (const [name, run] of Object.entries(parts)) {
    Object.assign(measured, await run());
    done(name, measured[name]);
  }
  begin("", say("keeping"));
  await context.close();
  const said = await send(config.keep, {
    measured,
    computer: about.elements.computer.value,
    endpoint: about.elements.endpoint?.value ?? "",
  });
  location.assign(said.url);
}

about.addEventListener("submit", async (event) => {
  event.preventDefault();
  about.hidden = true;
  by("parts").hidden = false;
  try {
    await check();
  } catch (trouble) {
    tell(trouble instanceof TypeError ? say("failed") : trouble.message, true);
    about.hidden = false;
  }
});
