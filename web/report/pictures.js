import { h } from "./dom.js";
import { chance, clock, frameWords } from "./words.js";

const THUMBNAILS = 12;
const THUMBNAIL_WIDTH = 160;
const PICTURE_WIDTH = 640;
const SEEK_SECONDS = 10;

/**
 * Show pictures of a video with its faces: a large one, and a strip of thumbnails.
 *
 * @param {Blob} video the analyzed file; the browser has to support it
 * @param {(index: number) => void} select is called when a person chooses a thumbnail
 * @returns {{element: HTMLElement, show: (index: number) => void}} `show` draws a frame of the timeline
 */
export function pictures(result, video, select) {
  const frames = result.timeline;
  const reader = new FrameReader(video);
  const large = h("canvas", { class: "picture", role: "img" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Frames of the video" });
  const element = h("div", { class: "pictures" }, large, strip);
  const fail = () =>
    element.replaceChildren(h("p", {}, "This browser cannot play this video, so the report shows no pictures."));
  const draw = (canvas, frame, width, lettered) =>
    reader.at(frame.time_ms, (source) => paint(canvas, source, frame, result, width, lettered)).catch(fail);

  let wanted = null;
  const show = async (index) => {
    const idle = wanted === null;
    wanted = index;
    for (const button of strip.children) button.setAttribute("aria-pressed", String(Number(button.value) === index));
    large.setAttribute("aria-label", `Frame at ${frameWords(frames[index])}`);
    if (!idle) return; // the frame in progress draws the newest one after itself
    for (let drawn = null; drawn !== wanted;) {
      drawn = wanted;
      await draw(large, frames[drawn], PICTURE_WIDTH, true);
    }
    wanted = null;
  };
  for (const index of evenly(frames.length, THUMBNAILS)) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const words = frameWords(frames[index]);
    strip.append(
      h(
        "button",
        { type: "button", value: index, "aria-label": words, "aria-pressed": "false", onclick: () => select(index) },
        canvas,
        h("span", {}, clock(frames[index].time_ms, 2)),
      ),
    );
    draw(canvas, frames[index], THUMBNAIL_WIDTH, false);
  }
  return { element, show };
}

/** Seeks a video, one request after the other. */
class FrameReader {
  #video = h("video", { muted: true, playsinline: true, preload: "auto" });
  #last;

  constructor(blob) {
    this.#video.muted = true;
    this.#video.src = URL.createObjectURL(blob);
    this.#last = once(this.#video, "loadeddata");
  }

  /** Call `use` with the video at a time. Rejects if the browser cannot play the video. */
  at(ms, use) {
    const done = this.#last.then(async () => {
      const seeked = once(this.#video, "seeked");
      this.#video.currentTime = (ms + 1) / 1000; // times are rounded: without the millisecond it can be the frame before
      await seeked;
      use(this.#video);
    });
    this.#last = done;
    return done;
  }
}

function once(video, event) {
  const over = new AbortController();
  const options = { signal: over.signal };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, SEEK_SECONDS * 1000, new Error("the video does not play"));
    over.signal.addEventListener("abort", () => clearTimeout(timer));
    video.addEventListener(event, resolve, options);
    video.addEventListener("error", () => reject(video.error), options);
  }).finally(() => over.abort());
}

/** Draw a picture and the boxes of its faces, numbered if there are several people. The largest face has a thicker line. */
function paint(canvas, source, { faces }, { video: size, people }, width, lettered) {
  const scale = Math.min(1, width / size.width);
  canvas.width = Math.round(size.width * scale);
  canvas.height = Math.round(size.height * scale);
  const pen = canvas.getContext("2d");
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  pen.font = "600 14px system-ui, sans-serif";
  pen.textBaseline = "top";
  faces.forEach(({ box, detected, dominant_emotion: emotion, probabilities, track }, rank) => {
    if (!detected) return;
    const [x, y, w, h] = [box.x, box.y, box.width, box.height].map((length) => length * scale);
    const line = rank === 0 ? 3 : 1.5;
    for (const [style, extra] of [
      ["#000a", 2],
      ["#fff", 0],
    ]) {
      pen.strokeStyle = style;
      pen.lineWidth = line + extra;
      pen.strokeRect(x, y, w, h);
    }
    if (!lettered) return;
    const who = people?.length > 1 && track ? `${track}: ` : "";
    const label = ` ${who}${emotion} ${chance(probabilities[emotion])} `;
    const top = y >= 22 ? y - 22 : y;
    pen.fillStyle = "#000c";
    pen.fillRect(x, top, pen.measureText(label).width, 20);
    pen.fillStyle = "#fff";
    pen.fillText(label, x, top + 3);
  });
}

function evenly(length, most) {
  const wanted = Math.min(length, most);
  return Array.from({ length: wanted }, (_, n) => Math.round((n * (length - 1)) / Math.max(1, wanted - 1)));
}
