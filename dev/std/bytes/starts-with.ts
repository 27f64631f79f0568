/** Whether the first bytes of `source` are those of `prefix`. */
export function startsWith(source: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.length <= source.length && prefix.every((byte, index) => byte === source[index]);
}
