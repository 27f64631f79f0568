/** Joins byte arrays into a new one. */
export function concat(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(buffers.reduce((length, bytes) => length + bytes.length, 0));
  let offset = 0;
  for (const bytes of buffers) {
    joined.set(bytes, offset);
    offset += bytes.length;
  }
  return joined;
}
