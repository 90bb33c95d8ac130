// What a page does more than a plain form: it takes in changes as they are reported, counts seconds,
// and repeats what is held. Without this file everything works, with a page that loads itself anew.
"use strict";
document.documentElement.classList.add("scripted");

// The page becomes what the server says it is, without losing focus or what is being touched.
function morph(old, now) {
  if (!isSame(old, now)) return old.replaceWith(now.cloneNode(true));
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...now.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.type === "range" && old !== document.activeElement) old.value = now.getAttribute("value");
  morphChildren(old, now);
}

// Whether one part of a page can become the other.
const isSame = (old, now) =>
  old.nodeType === now.nodeType && old.nodeName === now.nodeName && (old.id || "") === (now.id || "");

// What comes or goes between parts that stay leaves those alone: one of them may have the focus.
function morphChildren(old, now) {
  let at = old.firstChild;
  for (const node of now.childNodes) {
    let found = at;
    if (node.nodeType === Node.ELEMENT_NODE) while (found && !isSame(found, node)) found = found.nextSibling;
    if (!found || !isSame(found, node)) {
      old.insertBefore(node.cloneNode(true), at);
      continue;
    }
    while (at !== found) at = drop(at);
    at = found.nextSibling;
    morph(found, node);
  }
  while (at) at = drop(at);
}

// Takes a part out; the one after it.
function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function take(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const now = template.content.firstElementChild;
  const old = now && document.getElementById(now.id);
  if (old) morph(old, now);
  count();
  find();
  sayLeft();
}

const events = document.body.dataset.events;
const lost = document.getElementById("lost");
let rings = null;
if (events) {
  const source = new EventSource(events);
  source.onmessage = (event) => take(event.data);
  source.addEventListener("gone", () => location.reload());
  source.onopen = () => {
    if (lost) lost.hidden = true;
    document.getElementById("screen")?.removeAttribute("inert");
  };
  source.onerror = () => {
    if (!lost || !lost.hidden) return;
    lost.querySelector("span").textContent = new Date().toTimeString().slice(0, 5);
    lost.hidden = false;
    document.getElementById("screen")?.setAttribute("inert", "");
  };
}

// Seconds that pass between two reports.
function count() {
  const now = Date.now();
  for (const node of document.querySelectorAll("[data-since]")) {
    node.textContent = `${Math.max(0, Math.floor((now - node.dataset.since) / 1000))} s`;
  }
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((node.dataset.until - now) / 1000));
    node.textContent = node.textContent.replace(/\d+ s$/, `${left} s`);
  }
  for (const node of document.querySelectorAll("[data-timer]")) {
    const seconds = Math.max(0, Math.floor((now - node.dataset.timer) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    node.textContent = hours ? `${hours}:${rest}` : rest;
  }
  ring(document.querySelector("[data-chime]"));
}
setInterval(count, 1000);

// A chime when somebody calls, once for each call.
function ring(call) {
  const caller = call ? call.dataset.chime : null;
  if (caller && caller !== rings) {
    try {
      const audio = new AudioContext();
      [660, 880].forEach((hertz, i) => {
        const tone = audio.createOscillator(), loudness = audio.createGain();
        tone.frequency.value = hertz;
        loudness.gain.value = 0.1;
        tone.connect(loudness).connect(audio.destination);
        tone.start(audio.currentTime + i * 0.25);
        tone.stop(audio.currentTime + i * 0.25 + 0.2);
      });
    } catch { /* A browser without sound has the words. */ }
  }
  rings = caller;
}

// A press is sent without leaving the page; what comes of it is reported like everything else. One that
// is not taken within five seconds is not wished any more.
async function send(form, fields) {
  form.setAttribute("aria-busy", "true");
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "x-live": "1" }, signal });
    if (answer.status === 401 || answer.status === 403) location.reload();
    else if (form.dataset.then) location.assign(form.dataset.then);
  } catch { /* The server is gone, which the page says already. */
  } finally {
    form.removeAttribute("aria-busy");
  }
}
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-press]");
  if (!form) return;
  event.preventDefault();
  send(form, new URLSearchParams(new FormData(form, event.submitter)));
});
document.addEventListener("change", (event) => {
  if (event.target.type === "range" && event.target.form?.matches("[data-press]")) event.target.form.requestSubmit();
});
document.addEventListener("input", (event) => {
  if (event.target.type === "range") event.target.form.querySelector("output").textContent = event.target.value;
  if (event.target.id === "find") find();
});

// While a camera's button is held it is said again every 500 ms; letting go says stop, after whatever is
// still on its way.
let held = null;
function hold(form) {
  // Another finger may hold another one.
  release();
  const fields = new URLSearchParams(new FormData(form));
  const hand = { form, sent: null };
  const say = () => {
    hand.sent ??= send(form, fields).finally(() => (hand.sent = null));
  };
  hand.again = setInterval(say, 500);
  held = hand;
  say();
}
async function release() {
  if (!held) return;
  const { form, sent, again } = held;
  held = null;
  clearInterval(again);
  const fields = new URLSearchParams(new FormData(form));
  fields.set("wish", form.dataset.hold);
  await sent;
  send(form, fields);
}
document.addEventListener("pointerdown", (event) => {
  const form = event.target.closest("form[data-hold]");
  if (form && !form.querySelector(":disabled")) hold(form);
});
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, release);
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-hold]")) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const form = event.target.closest("form[data-hold]");
  if (form && !held && !event.repeat && (event.key === " " || event.key === "Enter")) hold(form);
});
document.addEventListener("keyup", release);

// Whoever touches the screen is there, so that the room is not stopped for standing idle.
function stay() {
  const form = document.querySelector("form[data-stay]:not([aria-busy])");
  if (form && !form.querySelector(":disabled")) send(form, new URLSearchParams(new FormData(form)));
}
for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, stay);

// Stopping a room can be thought over.
const countdown = document.querySelector("form[data-countdown]");
let left = Number(countdown?.dataset.countdown);
if (countdown) {
  const timer = setInterval(() => {
    if (--left === 0) {
      clearInterval(timer);
      countdown.requestSubmit();
    }
    sayLeft();
  }, 1000);
  sayLeft();
}
function sayLeft() {
  const text = countdown?.querySelector("[data-countdown-text]");
  if (text) text.textContent = `, in ${left} s`;
}

// Rooms whose name has what was typed.
function find() {
  const field = document.getElementById("find");
  if (!field) return;
  const words = field.value.toLowerCase();
  for (const room of document.querySelectorAll("[data-find]")) room.hidden = !room.dataset.find.includes(words);
}

// A page of the administration loads itself anew when something has changed, or may have while it did
// not hear of it, unless somebody is filling in a form. It hears while it is seen: a browser has six
// connections for all pages of a server.
const refresh = document.body.dataset.refresh;
async function renew() {
  if (document.activeElement?.matches("input, select, textarea")) return;
  const answer = await fetch(location.href);
  if (answer.redirected || !answer.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  morph(document.getElementById("screen"), page.getElementById("screen"));
}
let changes = null;
function hear() {
  changes?.close();
  changes = document.hidden ? null : new EventSource(refresh);
  changes?.addEventListener("open", renew);
  changes?.addEventListener("changed", renew);
}
if (refresh) {
  document.addEventListener("visibilitychange", hear);
  hear();
}
