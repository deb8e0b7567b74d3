/** The report's numbers and facts as text. Nothing here touches the document. */

export const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

export const percent = (value, digits = 0) => `${value.toFixed(digits)} %`;
export const chance = (probability) => percent(100 * probability);
export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** A time as m:ss or h:mm:ss, with that many decimals. Frames need two: neighbors are often 0.03 seconds apart. */
export function clock(ms, decimals = 0) {
  const total = Math.round((ms / 1000) * 10 ** decimals) / 10 ** decimals;
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const end = seconds.toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

export function bytes(number) {
  const [size, unit] = number < 1e6 ? [number / 1e3, "kB"] : number < 1e9 ? [number / 1e6, "MB"] : [number / 1e9, "GB"];
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`;
}

/** If fewer frames than this vote, the service gives no interval. */
export const FEWEST_FRAMES = 30;

const allVote = ({ settings }) => settings.voting === "all";

/** The denominator of the shares in words. With `voting=all` only a whole timeline says how many votes there are. */
export function votes(result) {
  if (!allVote(result)) {
    const { settings, total_frames_analyzed: frames, frames_with_face: faces } = result;
    return count(settings.faceless_frames === "analyze" ? frames : faces, "vote");
  }
  if (!result.timeline || result.timeline_truncated) return "all votes";
  return count(
    result.timeline.reduce((sum, { faces }) => sum + faces.length, 0),
    "vote",
  );
}

export const interval = ({ low, high }) => `${low.toFixed(0)} to ${percent(high)}`;

/** What a vote is, and how sure the shares are. */
export function sharesWords(result) {
  const whose = allVote(result) ? "face" : "frame";
  const said = `Percent of ${votes(result)} by each ${whose}'s strongest emotion, and the mean probability over the same ${whose}s.`;
  if (!result.overall_dominant_emotion) return said;
  if (!result.average_emotion_scores_interval) {
    return `${said} There are no intervals: they need ${FEWEST_FRAMES} frames with votes that are not all equal.`;
  }
  return `${said} An interval says how far a share can be off by chance, if the video goes on like this. It does not cover errors of the model.`;
}

/** Sentences about which frames were measured, and which frames each number counts. */
export function denominators(result) {
  const { settings, total_frames_analyzed: frames, frames_with_face: faces } = result;
  const said = [
    `The service sampled ${sampling(settings)}${part(settings)} and analyzed ${count(frames, "frame")}.`,
    faces === frames && frames > 0
      ? "It found a face in each of them."
      : `It found a face in ${faces.toLocaleString("en")} of them.`,
  ];
  if (allVote(result)) {
    said.push("Each face has one vote, so a frame can have several.");
    if (settings.faceless_frames === "analyze") said.push("A frame without a face votes with its whole picture.");
  } else if (settings.faceless_frames === "analyze") {
    said.push("Each frame has one vote: its largest face, or the whole picture where there is no face.");
  } else if (faces > 0) {
    said.push(`${faces === 1 ? "This frame votes" : "Each of these votes"} once, with its largest face.`);
    if (faces < frames) said.push("A frame without a face has no vote, and it never counts as eye contact.");
  }
  return said;
}

function sampling({ sampling: way, interval_ms: ms, frame_interval: every }) {
  const wanted = ms
    ? `one frame every ${ms.toLocaleString("en")} ms`
    : every === 1
      ? "every frame"
      : `one frame in ${every.toLocaleString("en")}`;
  return way === "keyframes" ? `the keyframes nearest to ${wanted}` : wanted;
}

function part({ start_ms: start, end_ms: end }) {
  if (start !== null && end !== null) return ` from ${clock(start, 1)} to ${clock(end, 1)}`;
  if (start !== null) return ` from ${clock(start, 1)} on`;
  return end !== null ? ` before ${clock(end, 1)}` : "";
}

/** What is missing from the result, and what the caller can do. */
export function warnings(result) {
  const until = result.analyzed_until_ms;
  const said = [];
  if (result.truncated) {
    const reached = until == null ? "" : ` Only the video before ${clock(until, 1)} counts.`;
    said.push(`The analysis stopped early, because it reached its time or a limit.${reached}`);
  }
  if (result.frames_unreadable > 0) {
    said.push(`The decoder failed on ${count(result.frames_unreadable, "sampled frame")}. No number counts them.`);
  }
  if (result.timeline_truncated) {
    said.push(
      "The timeline lacks its last frames, because one response cannot carry them. The totals count all frames.",
    );
  }
  if (result.faces_left_out > 0) {
    said.push(
      `${count(result.faces_left_out, "face")} got no score, because some frames show very many faces. The largest faces of each frame have one.`,
    );
  }
  return said;
}

/** Facts about the model, the detector, the settings and the video, as [name, value]. */
export function facts(result) {
  const { settings, video, model, detector } = result;
  return [
    ["Emotion model", `${model.name} (${model.engine}), weights ${model.weights_sha256.slice(0, 12)}…`],
    ["Face detector", `${detector.name}, weights ${detector.weights_sha256.slice(0, 12)}…`],
    ["Smallest face", `${settings.smallest_face_px} pixels`],
    ["Scale", settings.scale_factor === null ? "automatic" : String(settings.scale_factor)],
    ["Votes", allVote(result) ? "each face" : "the largest face of each frame"],
    ["Frames without a face", settings.faceless_frames === "analyze" ? "vote with the whole picture" : "do not vote"],
    [
      "Eye contact",
      `center of the largest face within ${percent(100 * settings.centre_tolerance)} of the frame's size from its center`,
    ],
    [
      "Video",
      `${video.width} × ${video.height}, ${video.codec}, ${+video.frame_rate.toFixed(2)} frames a second, ${clock(video.duration_ms, 1)}, ${bytes(video.bytes)}`,
    ],
    ["SHA-256 of the file", video.sha256],
  ];
}

/** What the boxes in pictures show. */
export function picturesWords(result) {
  const who = result.people?.length > 1 ? " The number of a box is the person's." : "";
  const votes = allVote(result) ? "Each of them votes." : "The box with the thick line votes.";
  return `White boxes show the faces that the detector found. ${votes}${who}`;
}

/** A person's row: who, when, in how many frames, which emotion most often, eye contact. */
export function personCells({ track, first_ms, last_ms, frames, average_emotion_scores: scores, eye_contact_score }) {
  const emotion = EMOTIONS.reduce((best, name) => (scores[name] > scores[best] ? name : best));
  return [
    String(track),
    `${clock(first_ms, 1)} to ${clock(last_ms, 1)}`,
    frames.toLocaleString("en"),
    `${emotion} ${percent(scores[emotion])}`,
    percent(eye_contact_score),
  ];
}

/** One frame of the timeline in words. */
export function frameWords({ time_ms, faces, eye_contact }) {
  const [face] = faces;
  if (!face) return `${clock(time_ms, 2)}: no face`;
  const seen = `${face.dominant_emotion} ${chance(face.probabilities[face.dominant_emotion])}`;
  const found = face.detected ? (faces.length > 1 ? `${faces.length} faces, largest ` : "") : "no face, whole picture ";
  return `${clock(time_ms, 2)}: ${found}${seen}${eye_contact ? ", eye contact" : ""}`;
}

export const MEANING = [
  "A score says how much a picture of a face resembles pictures that people once labeled with a word. It does not say what a person feels, thinks or intends.",
  "“Eye contact” only means that the largest face is near the center of the picture. It does not measure gaze or attention.",
  "Accuracy differs between people, ages, skin tones and lighting. Do not make decisions about people with these numbers.",
  "In the European Union, the AI Act (Regulation (EU) 2024/1689) prohibits inferring emotions at work and in education except for medical or safety reasons (Article 5(1)\u2060(f)), lists other emotion recognition as high-risk (Annex III, point 1\u2060(c)), and obliges its deployers to inform the people exposed to it (Article 50(3)). These texts were looked up in November 2026.",
];
