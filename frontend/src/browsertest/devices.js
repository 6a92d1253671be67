// Ask for a device, and tell apart why there is none.
const WHY = { NotFoundError: "none", OverconstrainedError: "none", NotAllowedError: "denied", SecurityError: "denied" };

// Returns { stream, track, ms } or { why }: none, denied, busy, or insecure where the browser gives nothing to plain http.
export async function ask(kind, wanted) {
  if (!navigator.mediaDevices?.getUserMedia) return { why: "insecure" };
  const begun = performance.now();
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wanted });
    const [track] = stream.getTracks();
    return { stream, track, ms: performance.now() - begun };
  } catch (trouble) {
    return { why: WHY[trouble.name] ?? "busy" };
  }
}
