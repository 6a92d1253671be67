// A ZIP of files as they are, stored and not compressed, made of slices without reading them. Sorted names and one fixed
// date: the same files give the same bytes on whichever computer, so that an upload can go on elsewhere.
const DATE = 0x21; // 1 January 1980
const UTF8 = 0x0800;
const MOST_BYTES = 0xfffffffe;
const MOST_FILES = 0xfffe;

// `entries`: path, file, crc (a number). Returns a Blob, or null when there are too many or they are too large.
export function zip(entries) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const entry of [...entries].sort((one, other) => (one.path < other.path ? -1 : 1))) {
    const name = new TextEncoder().encode(entry.path);
    if (at > MOST_BYTES) return null;
    parts.push(header(0x04034b50, entry, name, 30), name, entry.file);
    directory.push(header(0x02014b50, entry, name, 46, at), name);
    at += 30 + name.length + entry.file.size;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  if (entries.length > MOST_FILES || at + size + 22 > MOST_BYTES) return null;
  return new Blob([...parts, ...directory, end(entries.length, size, at)], { type: "application/zip" });
}

// The head of a file, and its line in the directory (which has one field before and five behind what they share).
function header(mark, { file, crc }, name, length, at) {
  const view = new DataView(new ArrayBuffer(length));
  view.setUint32(0, mark, true);
  const isLine = at !== undefined;
  let place = 4;
  const short = (value) => {
    view.setUint16(place, value, true);
    place += 2;
  };
  const long = (value) => {
    view.setUint32(place, value, true);
    place += 4;
  };
  if (isLine) short(20);
  [20, UTF8, 0, 0, DATE].forEach(short);
  [crc, file.size, file.size].forEach(long);
  [name.length, 0].forEach(short);
  if (isLine) {
    [0, 0, 0].forEach(short);
    [0, at].forEach(long);
  }
  return view;
}

function end(count, size, at) {
  const view = new DataView(new ArrayBuffer(22));
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, size, true);
  view.setUint32(16, at, true);
  return view;
}
