/** What the page asks of the service. */
import { Problem, request } from "./requests.js";

export const MAX_POST_BYTES = 4_500_000;
export const MAX_FORM_BYTES = 100_000_000;
const TYPE = "application/octet-stream"; // the service looks at the bytes, so a browser's guess cannot mislead it
const INCLUDE = "timeline,people"; // what the report draws
const POLL_SECONDS = 2;
const MOST_POLL_SECONDS = 30;
const ADDRESSES = 10; // of parts, asked for at a time: each works for an hour
const MOST_TRIES = 5; // of a part, and of the end of an upload in parts

/** By video: the job whose upload in parts was begun, and with which wish. Another try with the same wish goes on with it. */
const begun = new WeakMap();

/** The address of the deployment: this page is at <address>app, with or without a slash at the end. */
const address = (path) => new URL(path, location.href.replace(/\/app\/?([?#].*)?$/, "/"));

/**
 * Analyze a video, by POST or by upload, as its size asks for.
 *
 * @param {Blob} video
 * @param {{key: string, options: Record<string, string>, tell: (phase: string, part?: number) => void, signal: AbortSignal}} context
 *   `tell` hears what happens, and which part of it is done if that is known
 * @returns {Promise<object>} the Result, with its timeline
 * @throws {Problem}
 */
export async function analyze(video, context) {
  if (video.size === 0) {
    throw new Problem({ title: "The file is empty", detail: "It has 0 bytes. Choose another file." });
  }
  if (video.size > MAX_POST_BYTES) return upload(video, context);
  const result = await post(video, context);
  if (!result.truncated && !result.timeline_truncated) return result;
  // An upload has more time, and room for a longer timeline.
  return upload(video, context);
}

async function post(video, { key, options, tell, signal }) {
  const query = new URLSearchParams({ ...options, include: INCLUDE });
  const sent = (part) => (part < 1 ? tell("Sending the video", part) : tell("Analyzing the video"));
  const { body } = await request(address(`process-frame?${query}`), {
    method: "POST",
    headers: { ...keyed(key), "Content-Type": TYPE },
    body: video,
    sent,
    signal,
  });
  return body;
}

async function upload(video, { key, options, tell, signal }) {
  const headers = { ...keyed(key), "Content-Type": "application/json" };
  const numbers = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value) || value]));
  if (video.size > MAX_FORM_BYTES) numbers.size = video.size;
  const wish = JSON.stringify({ content_type: TYPE, include: INCLUDE, ...numbers });
  let job = begun.get(video)?.wish === wish && begun.get(video).job;
  if (!job) {
    tell("Asking for an upload");
    job = (await request(address("uploads"), { method: "POST", headers, body: wish, signal })).body;
  }
  if (job.multipart) {
    begun.set(video, { job, wish });
    const ask = (path, members) =>
      request(address(`uploads/${job.job_id}/${path}`), {
        method: "POST",
        headers,
        body: JSON.stringify(members),
        signal,
      });
    try {
      await sendParts(video, ask, { tell, signal });
    } catch (error) {
      if (error.status === 404) begun.delete(video); // it is too old
      throw error;
    }
    begun.delete(video);
  } else {
    const form = new FormData();
    for (const [name, value] of Object.entries(job.upload.fields)) form.append(name, value);
    form.append("file", video);
    const sent = (part) => (part < 1 ? tell("Uploading the video", part) : tell("Storing the video"));
    await request(job.upload.url, { method: "POST", body: form, sent, signal });
  }
  return finished(job.job_id, key, tell, signal);
}

/** Send the parts that the storage does not have, one after another, then say that all are there. */
async function sendParts(video, ask, { tell, signal }) {
  try {
    await sendMissing(video, ask, { tell, signal });
  } catch (error) {
    if (error.status !== 404) throw error;
    // Perhaps an earlier try completed the upload, and only the answer was lost. The next request says which.
  }
  tell("Storing the video");
  await patiently(() => ask("complete", {}), { tell, signal });
}

async function sendMissing(video, ask, { tell, signal }) {
  for (let [start, number] = [0, 1]; start < video.size; ) {
    const { body: told } = await ask("parts", { first: number, count: ADDRESSES });
    for (const { number: at, url, bytes } of told.parts) {
      const sent = (part) => tell("Uploading the video", (start + part * bytes) / video.size);
      const body = video.slice(start, start + bytes);
      const put = (to) => patiently(() => request(to, { method: "PUT", body, sent, signal }), { tell, signal });
      if (!told.uploaded.includes(at)) {
        try {
          await put(url);
        } catch (error) {
          if (error.status !== 403) throw error;
          // The address may have expired on the way.
          await put((await ask("parts", { first: at, count: 1 })).body.parts[0].url);
        }
      }
      [start, number] = [start + bytes, at + 1];
    }
  }
}

/** Send what makes no difference when it arrives twice, until its answer arrives. */
async function patiently(send, { tell, signal }) {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (!error.passing || tries === MOST_TRIES) throw error;
      const wait = error.retryAfter ?? 2 ** tries;
      tell(`${error.title}. This page goes on in ${Math.ceil(wait)} s.`);
      await sleep(wait * 1000, signal);
    }
  }
}

/** Wait for a job's end. The job goes on without this page, so a lost connection only delays the answer. */
async function finished(id, key, tell, signal) {
  const began = Date.now();
  for (let pause = POLL_SECONDS; ; pause = Math.min(MOST_POLL_SECONDS, pause * 1.5)) {
    let wait = pause;
    try {
      const { body: job, retryAfter } = await request(address(`jobs/${id}`), { headers: keyed(key), signal });
      if (job.status === "SUCCEEDED") return job.result ?? (await request(job.result_url, { signal })).body;
      if (job.status === "FAILED") throw new Problem(job.error);
      tell(
        `${job.status === "RUNNING" ? "Analyzing the video" : "The video waits for its analysis"} (${Math.round((Date.now() - began) / 1000)} s)`,
      );
      wait = retryAfter ?? pause;
    } catch (error) {
      if (!error.passing) throw error;
      wait = error.retryAfter ?? pause;
      tell(`${error.title}. The analysis goes on. This page asks again in ${Math.ceil(wait)} s.`);
    }
    await sleep(wait * 1000, signal);
  }
}

const keyed = (key) => (key ? { "x-api-key": key } : {});

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
