/** Makes chunks of exactly `size` bytes; only the last may be shorter. */
export class FixedChunkStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(size: number) {
    let chunk = new Uint8Array(size);
    let filled = 0;
    super({
      transform(bytes, controller): void {
        for (let offset = 0; offset < bytes.length;) {
          const part = bytes.subarray(offset, offset + size - filled);
          chunk.set(part, filled);
          filled += part.length;
          offset += part.length;
          if (filled < size) return;
          controller.enqueue(chunk);
          chunk = new Uint8Array(size);
          filled = 0;
        }
      },
      flush(controller): void {
        if (filled > 0) controller.enqueue(chunk.subarray(0, filled));
      },
    });
  }
}
