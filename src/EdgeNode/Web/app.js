// @ts-check
// The page of a node: every camera's live picture, and the face events as they come. It holds no data of its own: the
// token comes in the address's fragment, which a browser sends to nobody, or is typed in.

const shownEvents = 100;
const reconnectAfterMs = 2000;
const refreshEveryMs = 2000;
const furthestBehindS = 4;

/** @type {Map<string, {element: HTMLElement, faces: Map<string, {name: string, status: string}>}>} */
const cameras = new Map();
let token = takeToken();
let followed = false;

/** @param {string} selector @param {ParentNode} [within] @returns {HTMLElement} */
function at(selector, within = document) {
  const element = within.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`no ${selector}`);
  return element;
}

function takeToken() {
  const match = /token=([^&]+)/.exec(location.hash);
  if (match) {
    sessionStorage.setItem("token", match[1]);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") ?? "";
}

/** @param {string} path @param {RequestInit} [init] */
async function api(path, init = {}) {
  const response = await fetch(path, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` }, cache: "no-store" });
  if (response.status === 401) askForToken("This token is not valid here, or has ended.");
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail ?? `HTTP ${response.status}`);
  return response;
}

/** @param {string} refusal */
function askForToken(refusal) {
  sessionStorage.removeItem("token");
  token = "";
  at("#view").hidden = true;
  at("#login").hidden = false;
  at("#refusal").textContent = refusal;
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, reconnectAfterMs));
}

async function open() {
  const answer = await (await api("api/stream/cameras")).json();
  at("#login").hidden = true;
  at("#view").hidden = false;
  at("#node").textContent = `${answer.site} / ${answer.node}`;
  for (const camera of answer.cameras) {
    if (!cameras.has(camera.camera_id)) show(camera);
    label(camera);
  }
  if (!followed) {
    followed = true;
    followEvents();
    setInterval(refresh, refreshEveryMs);
  }
}

async function refresh() {
  if (!token) return;
  try {
    const answer = await (await api("api/stream/cameras")).json();
    for (const camera of answer.cameras) {
      if (!cameras.has(camera.camera_id)) show(camera);
      label(camera);
    }
    for (const [id, entry] of cameras) {
      if (answer.cameras.some((/** @type {{camera_id: string}} */ camera) => camera.camera_id === id)) continue;
      entry.element.remove();
      cameras.delete(id);
    }
  } catch {
    for (const id of cameras.keys()) label({ camera_id: id, state: "the node does not answer", reason: null });
  }
}

/** @param {{camera_id: string, name: string}} camera */
function show(camera) {
  const template = /** @type {HTMLTemplateElement} */ (at("#camera"));
  const element = /** @type {HTMLElement} */ (template.content.cloneNode(true)).children[0];
  if (!(element instanceof HTMLElement)) return;
  element.dataset.camera = camera.camera_id;
  at("#cameras").append(element);
  cameras.set(camera.camera_id, { element, faces: new Map() });
  play(camera.camera_id, /** @type {HTMLVideoElement} */ (at("video", element)));
}

/** @param {{camera_id: string, name?: string, state: string, reason: string|null}} camera */
function label(camera) {
  const entry = cameras.get(camera.camera_id);
  if (!entry) return;
  if (camera.name) at(".name", entry.element).textContent = camera.name;
  // A picture that stands still is not shown as if it were live.
  entry.element.classList.toggle("stale", camera.state !== "streaming");
  at(".state", entry.element).textContent = camera.reason ? `${camera.state}: ${camera.reason}` : camera.state;
}

/** @param {string} camera */
async function createSession(camera) {
  const answer = await api("api/stream/playback/create-session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ camera_id: camera, user_id: "web" }),
  });
  return new URL((await answer.json()).view_url).pathname;
}

/**
 * Plays a camera, for ever. A session serves until the node says that it has ended, also over a camera that is away.
 * @param {string} camera @param {HTMLVideoElement} video @param {string} [path] the view URL's path, where there is one already
 */
async function play(camera, video, path) {
  const again = (/** @type {number|undefined} */ status) =>
    setTimeout(() => play(camera, video, status === 401 || status === 410 ? undefined : path), reconnectAfterMs);
  if (!cameras.has(camera)) return; // it was removed
  if (!token) return void again(401);
  try {
    path ??= await createSession(camera);
    const Hls = /** @type {any} */ (window).Hls;
    // hls.js first: Chromium claims to play HLS by itself, and does it worse.
    if (Hls?.isSupported()) {
      const player = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, backBufferLength: 10 });
      player.loadSource(path);
      player.attachMedia(video);
      player.on(Hls.Events.ERROR, (/** @type {any} */ _, /** @type {any} */ error) => {
        if (!error.fatal) return;
        player.destroy();
        again(error.response?.code);
      });
      player.on(Hls.Events.FRAG_CHANGED, () => showLatency(camera, player.latency));
      const edge = setInterval(() => keepToTheEdge(player, video), 1000);
      player.on(Hls.Events.DESTROYING, () => clearInterval(edge));
    } else {
      video.src = path;
      video.addEventListener("error", () => again(410), { once: true });
    }
    await video.play().catch(() => undefined);
  } catch {
    again(undefined);
  }
}

/**
 * hls.js speeds up to catch the edge only while it is near; after a stall or a hidden tab it would stay behind for good.
 * @param {any} player @param {HTMLVideoElement} video
 */
function keepToTheEdge(player, video) {
  const edge = player.liveSyncPosition;
  if (edge && !video.seeking && player.latency > furthestBehindS && edge > video.currentTime) video.currentTime = edge;
}

/** @param {string} camera @param {number} seconds */
function showLatency(camera, seconds) {
  const entry = cameras.get(camera);
  if (entry && seconds > 0) at(".latency", entry.element).textContent = `${seconds.toFixed(1)} s behind`;
}

// EventSource cannot send a header, and a token has no place in a query; so the stream is read by hand.
async function followEvents() {
  const feed = at("#feed");
  let cursor = "";
  for (;;) {
    if (!token) {
      await pause();
      continue;
    }
    try {
      const response = await api(`api/events/stream${cursor && `?after=${cursor}`}`);
      feed.textContent = "Live";
      if (!response.body) return;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const messages = text.split("\n\n");
        text = messages.pop() ?? "";
        for (const message of messages) {
          const id = /^id: (.*)$/m.exec(message);
          const data = /^data: (.*)$/m.exec(message);
          if (id) cursor = id[1];
          if (data) showEvent(JSON.parse(data[1]));
        }
      }
      feed.textContent = "Reconnecting…";
    } catch (error) {
      feed.textContent = /** @type {Error} */ (error).message;
    }
    await pause();
  }
}

/** @param {any} event */
function showEvent(event) {
  const who = event.identity.status === "recognized" ? event.identity.name : event.identity.status;
  const entry = cameras.get(event.camera);
  if (entry) {
    if (event.phase === "ended") entry.faces.delete(event.event_id);
    else entry.faces.set(event.event_id, { name: who, status: event.identity.status });
    at(".faces", entry.element).replaceChildren(...[...entry.faces.values()].map((face) => span(`face ${face.status}`, face.name)));
  }

  // One visit is one row, whatever is said of it.
  const list = at("#events ol");
  const row = list.querySelector(`[data-event="${event.event_id}"]`) ?? document.createElement("li");
  row.setAttribute("data-event", event.event_id);
  row.replaceChildren(
    span("when", new Date(event.updated_at).toLocaleTimeString([], { hourCycle: "h23" })),
    span(event.identity.status, who),
    span("what", `${event.camera} · ${event.phase}`));
  list.prepend(row);
  while (list.children.length > shownEvents) list.lastElementChild?.remove();
}

/** @param {string} kind @param {string} text */
function span(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}

// A node that does not answer is no reason to forget the token: it may be starting anew. A refused token is forgotten by api().
async function start() {
  while (token) {
    try {
      await open();
      return;
    } catch (error) {
      if (token) {
        at("#node").textContent = `The node does not answer (${/** @type {Error} */ (error).message}); trying again…`;
        await pause();
      }
    }
  }
}

at("#login").addEventListener("submit", (submit) => {
  submit.preventDefault();
  token = /** @type {HTMLInputElement} */ (at("#token")).value.trim();
  sessionStorage.setItem("token", token);
  start();
});

if (token) start();
else askForToken("");
