// What was chosen or dropped: single files, and DICOM files that belong together.
const NOISE = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX\/.*)$/i;

export const chosen = (input) =>
  [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

// The entries must be asked for before anything is waited for: the browser forgets them then.
export function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return Promise.all(entries.map(walk)).then((lists) => lists.flat());
}

async function walk(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) return [{ path, file: await new Promise((found, lost) => entry.file(found, lost)) }];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((found, lost) => reader.readEntries(found, lost));
    if (!some.length) break;
    inside.push(...some); // a hundred at a time
  }
  return (await Promise.all(inside.map(walk))).flat();
}

// Returns { singles, study: [{path, file}], name, left }: DICOM that came in a folder, or several, is one study.
export async function sort(found) {
  const files = found.filter(({ path, file }) => file.size && !NOISE.test(path));
  const marks = await Promise.all(files.map(({ file }) => isDicom(file)));
  const dicom = files.filter((_, at) => marks[at]);
  const others = files.filter((_, at) => !marks[at]);
  const inFolder = files.some(({ path }) => path.includes("/"));
  if (dicom.length < (inFolder ? 1 : 2)) return { singles: files, study: [], name: "", left: [] };
  const folder = dicom[0].path.split("/").slice(0, -1)[0] || "DICOM";
  return { singles: inFolder ? [] : others, study: bare(dicom), name: `${folder}.zip`, left: inFolder ? others : [] };
}

// By the mark in the file, never by its name.
async function isDicom(file) {
  return file.size > 132 && (await file.slice(128, 132).text()) === "DICM";
}

// Without the folder that holds everything, whatever it is called on this computer; and in one way of writing letters.
function bare(files) {
  const first = files[0].path.split("/")[0];
  const isShared = files.every(({ path }) => path.startsWith(`${first}/`));
  return files.map(({ path, file }) => ({
    path: (isShared ? path.slice(first.length + 1) : path).normalize("NFC"),
    file,
  }));
}
