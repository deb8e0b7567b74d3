import { Problem } from "./requests.js";

const SECONDS = 10;
const BITS_PER_SECOND = 2_500_000; // ten seconds stay well below the limit of a POST

const REFUSED = {
  title: "The camera is not available",
  detail: "Allow this page to use the camera in the browser's settings, or choose a file instead.",
};

/**
 * Record the camera for ten seconds, without sound.
 *
 * @param {HTMLVideoElement} preview shows the camera meanwhile
 * @param {{left: (seconds: number) => void, stop: AbortSignal, discard: AbortSignal}} controls
 * @returns {Promise<File | null>} null if the person discards the recording
 * @throws {Problem} there is no camera, or the person does not allow it
 */
export async function record(preview, { left, stop, discard }) {
  if (!navigator.mediaDevices || !window.MediaRecorder) {
    throw new Problem({
      title: "The camera is not available",
      detail: "A browser gives pages a camera over https or on this computer only. Choose a file instead.",
    });
  }
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { width: 1280, height: 720 }, audio: false })
    .catch(() => {
      throw new Problem(REFUSED);
    });
  try {
    preview.srcObject = stream;
    await preview.play();
    const recorder = new MediaRecorder(stream, { videoBitsPerSecond: BITS_PER_SECOND });
    const chunks = [];
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    const ended = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    await countdown(left, AbortSignal.any([stop, discard]));
    recorder.stop();
    await ended;
    const type = recorder.mimeType || "video/webm";
    return discard.aborted ? null : new File(chunks, `recording.${type.includes("mp4") ? "mp4" : "webm"}`, { type });
  } finally {
    preview.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }
}

async function countdown(left, end) {
  for (let seconds = SECONDS; seconds > 0 && !end.aborted; seconds--) {
    left(seconds);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      end.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}
