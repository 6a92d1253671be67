// Checksums of files, asked of the worker.
export function checksums(address) {
  const worker = new Worker(address);
  const asked = new Map();
  let last = 0;
  worker.onmessage = ({ data }) => {
    const one = asked.get(data.id);
    if (data.done !== undefined) return one.moved(data.done);
    asked.delete(data.id);
    if (data.failed) one.reject(new Error(data.failed));
    else one.resolve(data.result);
  };
  return (kind, blob, moved = () => {}) =>
    new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject, moved });
      worker.postMessage({ id: last, kind, blob });
    });
}
