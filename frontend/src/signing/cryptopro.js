// CryptoPro's browser plug-in, through its extension's public asynchronous interface. Nothing of it stands here: the
// extension says where its script is, and without the extension nothing is loaded.

const FOUND_WITHIN = 1500;
const SCHEMES = ["chrome-extension:", "moz-extension:"];
// Constants of CAPICOM and CAdESCOM.
const CURRENT_USER = 2;
const MAXIMUM_ALLOWED = 2;
const FIND_TIME_VALID = 9;
const BASE64_TO_BINARY = 1;
const CADES_BES = 1;

let plugin = null;

// Ask whether an extension is there. Resolves to its script's address, "" if it is here already, or null.
const announced = () =>
  new Promise((resolve) => {
    const done = (found) => {
      clearTimeout(timer);
      window.removeEventListener("message", heard);
      resolve(found);
    };
    const heard = ({ source, data }) => {
      if (source === window && typeof data === "string" && data.startsWith("cadesplugin_loaded")) done(data.split("url:")[1] ?? "");
    };
    const timer = setTimeout(() => done(null), FOUND_WITHIN);
    window.addEventListener("message", heard);
    window.postMessage("cadesplugin_echo_request", window.location.origin);
  });

function load(address) {
  if (!SCHEMES.includes(new URL(address, window.location.href).protocol)) return Promise.reject(new Error(address));
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("nmcades_plugin_api.js")));
    script.src = address;
    document.head.append(script);
  });
}

async function connect() {
  const address = await announced();
  if (address === null) return null;
  if (!window.cpcsp_chrome_nmcades && address) await load(address);
  const extension = window.cpcsp_chrome_nmcades;
  if (!extension) return null;
  await new Promise((resolve, reject) => extension.check_chrome_plugin(resolve, (text) => reject(new Error(text))));
  return extension.CreatePluginObject();
}

async function withStore(work) {
  const store = await plugin.CreateObjectAsync("CAdESCOM.Store");
  await store.Open(CURRENT_USER, "My", MAXIMUM_ALLOWED);
  try {
    return await work(await (await store.Certificates).Find(FIND_TIME_VALID));
  } finally {
    await store.Close();
  }
}

async function each(certificates, look) {
  const count = await certificates.Count;
  for (let number = 1; number <= count; number += 1) {
    const found = await look(await certificates.Item(number));
    if (found) return found;
  }
  return null;
}

// "CN=…, SN=…" in parts; a quoted value may hold commas.
const named = (text, name) => new RegExp(`(?:^|,\\s*)${name}=("(?:[^"]|"")*"|[^,]*)`).exec(text)?.[1].replace(/^"|"$/g, "").replaceAll('""', '"') ?? "";

const base64 = (bytes) => {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(pieces.join(""));
};

const binary = (text) => Uint8Array.from(atob(text.replace(/\s+/g, "")), (letter) => letter.charCodeAt(0));

export const cryptopro = {
  name: "CryptoPro",

  async find() {
    plugin ??= await connect().catch(() => null);
    return plugin !== null;
  },

  async certificates() {
    const found = [];
    await withStore((certificates) =>
      each(certificates, async (one) => {
        if (!(await one.HasPrivateKey())) return;
        const [subject, issuer] = [await one.SubjectName, await one.IssuerName];
        const person = [named(subject, "SN"), named(subject, "G")].filter(Boolean).join(" ");
        found.push({
          id: await one.Thumbprint,
          subject: [named(subject, "CN") || subject, person].filter((part, at, all) => part && all.indexOf(part) === at).join(", "),
          issuer: named(issuer, "CN") || issuer,
          until: new Date(await one.ValidToDate),
        });
      }),
    );
    return found;
  },

  async sign(id, bytes) {
    return withStore(async (certificates) => {
      const chosen = await each(certificates, async (one) => ((await one.Thumbprint) === id ? one : null));
      const signer = await plugin.CreateObjectAsync("CAdESCOM.CPSigner");
      await signer.propset_Certificate(chosen);
      const data = await plugin.CreateObjectAsync("CAdESCOM.CadesSignedData");
      // Before the content: it says how that is to be read.
      await data.propset_ContentEncoding(BASE64_TO_BINARY);
      await data.propset_Content(base64(bytes));
      return binary(await data.SignCades(signer, CADES_BES, true));
    });
  },
};
