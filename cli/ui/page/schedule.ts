/** Drawing once per frame, however often something changes. */

/** Returns a function that has `draw` called once before the next frame. */
export function oncePerFrame(draw: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  };
}

/** Fits a canvas to its size on the screen, and draws it again whenever that changes. */
export function fitCanvas(canvas: HTMLCanvasElement, draw: () => void): void {
  new ResizeObserver(() => {
    const ratio = devicePixelRatio;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    draw();
  }).observe(canvas);
}
