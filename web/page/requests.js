/** Requests with progress. Each failure is a Problem. */

const STALLED_SECONDS = 60;

/**
 * What went wrong, in words for a person.
 *
 * `passing`: it is likely to pass, so the same request can succeed later. `again`: another try is worth a button.
 */
export class Problem extends Error {
  /** @param {{title: string, detail: string, request_id?: string, status?: number}} words as the service returns them */
  constructor(
    { title, detail, request_id: requestId, status = 0 },
    { passing = false, again = passing, retryAfter } = {},
  ) {
    super(title);
    Object.assign(this, { title, detail, requestId, status, passing, again, retryAfter });
  }
}

/**
 * Send a request.
 *
 * @param {{method?: string, headers?: object, body?: any, sent?: (part: number) => void, signal?: AbortSignal}} options
 *   `sent` hears which part of the body is sent, from 0 to 1. fetch() cannot report it, so this uses XMLHttpRequest.
 * @returns {Promise<{body: any, retryAfter?: number}>} `body` is the JSON of the answer, or null if it is none
 * @throws {Problem} also when the connection is lost; the signal's reason when it aborts
 */
export function request(url, { method = "GET", headers = {}, body, sent, signal } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let [part, stalled] = [0, 0];
    const lost = (why) =>
      reject(
        new Problem(
          {
            title: "The connection was lost",
            detail: `${why}${part > 0 && part < 1 ? ` ${Math.floor(100 * part)} % of the video was sent.` : ""} Check your network, then send the video again.`,
          },
          { passing: true },
        ),
      );
    const alive = () => {
      clearTimeout(stalled);
      if (sent && part < 1)
        stalled = setTimeout(() => {
          lost(`No byte got through for ${STALLED_SECONDS} seconds.`);
          xhr.abort();
        }, STALLED_SECONDS * 1000);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (sent) {
      xhr.upload.onprogress = ({ loaded, total }) => {
        part = loaded / total;
        sent(part);
        alive();
      };
      xhr.upload.onload = () => {
        part = 1;
        sent(1);
        alive();
      };
    }
    xhr.onload = () => settle(xhr, resolve, reject);
    xhr.onerror = () => lost(part === 1 ? "The answer did not arrive." : "The service cannot be reached.");
    xhr.onloadend = () => clearTimeout(stalled);
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      xhr.abort();
    });
    alive();
    xhr.send(body);
  });
}

function settle(xhr, resolve, reject) {
  const body = parsed(xhr.responseText);
  // Asking for a header that another origin does not show is an error in the console; this list has the shown ones.
  const seconds = Number.parseInt(xhr.getAllResponseHeaders().match(/^retry-after: (.*)$/m)?.[1], 10);
  const retryAfter = Number.isNaN(seconds) ? undefined : seconds;
  if (xhr.status >= 200 && xhr.status < 300) return resolve({ body, retryAfter });
  const { status } = xhr;
  // A quota lasts for a day or longer, so asking again soon is of no use.
  const passing = status >= 500 || (status === 429 && body?.code !== "quota_exceeded");
  if (body?.detail)
    return reject(new Problem({ ...body, status }, { passing, again: passing || status === 403, retryAfter }));
  const words = {
    title: `The answer was HTTP ${status}`,
    detail:
      "The service or its storage did not accept the request. Send the video again. If that fails too, ask the owner of this deployment.",
  };
  reject(new Problem({ ...words, status }, { passing, again: true, retryAfter }));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
