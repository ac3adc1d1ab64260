// What makes the page live: the stream of changes, forms without a reload, and the keyboard. Without it all still works.
// Rule 1: the server prints the thread; here its parts are only put in place. Rule 2: typed text and focus are never lost.

const thread = document.getElementById("thread");
const status = document.getElementById("status");
const reply = document.getElementById("reply");
const note = document.getElementById("note");
const here = thread.dataset.here;
const printed = new Map();
const sending = new Set();
let last = { body: "", nonce: "" };
let stream = null;

if (thread.dataset.live !== undefined) {
  for (const nonce of thread.querySelectorAll("input[name=nonce]")) nonce.defaultValue = "";
  for (const part of thread.children) printed.set(part.id, part.outerHTML);
  show(thread.dataset.live);
  connect();
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pageshow", (event) => event.persisted && connect());
}
document.documentElement.classList.add("scripted");
document.addEventListener("submit", submit);
document.addEventListener("change", (event) => event.target.form?.hasAttribute("data-auto") && event.target.form.requestSubmit());
document.addEventListener("click", (event) => event.target.closest("[data-close]") && close(event.target.closest("details")));
document.addEventListener("toggle", opened, true);
document.addEventListener("keydown", keys);

// Browsers allow few connections to one host: a page that nobody looks at gives its own back.
function connect() {
  if (stream || document.hidden) return;
  stream = new EventSource(`${here}/events`);
  stream.addEventListener("thread", (event) => keepPlace(() => replaceThread(JSON.parse(event.data))));
  stream.addEventListener("draft", (event) => keepPlace(() => replaceDraft(JSON.parse(event.data))));
  stream.addEventListener("error", () => {
    const over = stream?.readyState === EventSource.CLOSED;
    say(over ? "This page does not follow the story any more; reload it." : "The connection is lost; trying again…");
    if (over) stream = null;
  });
}

function disconnect() {
  stream?.close();
  stream = null;
}

function replaceThread(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("thread");
  if (fresh.dataset.silence !== undefined) return say(fresh.dataset.silence);
  thread.dataset.token = fresh.dataset.token;
  if (reply) reply.hidden = fresh.dataset.locked !== undefined || fresh.dataset.live === undefined;
  const kept = new Set([...fresh.children].map((part) => part.id));
  for (const old of [...thread.children]) if (!kept.has(old.id)) remove(old);
  let before = null;
  for (const part of [...fresh.children]) {
    before = place(part, before);
  }
  show(fresh.dataset.live);
}

// Puts one printed part behind `before`, in place of its older print; a part that did not change is not touched.
function place(part, before) {
  const old = document.getElementById(part.id);
  const html = part.outerHTML;
  if (old && printed.get(part.id) === html) return old;
  printed.set(part.id, html);
  if (!old) {
    thread.insertBefore(part, before ? before.nextSibling : thread.firstChild);
    return part;
  }
  const focus = focused(old);
  carryEdit(old, part);
  old.replaceWith(part);
  focus?.(part);
  return part;
}

function remove(part) {
  const hadFocus = part.contains(document.activeElement);
  printed.delete(part.id);
  part.remove();
  if (hadFocus) document.getElementById("text")?.focus({ preventScroll: true });
}

function replaceDraft(html) {
  const draft = document.getElementById("draft");
  if (!draft) return;
  draft.innerHTML = html;
  printed.delete(draft.closest("article").id);
}

// How to find the focus again in a part that takes this one's place: null when the focus was elsewhere.
function focused(part) {
  const active = document.activeElement;
  if (!part.contains(active)) return null;
  const { name, value, tagName, selectionStart, selectionEnd } = active;
  return (fresh) => {
    const alike = [...fresh.querySelectorAll(tagName)].filter((each) => (each.name ?? "") === (name ?? ""));
    const same = alike.find((each) => tagName !== "BUTTON" || each.value === value);
    const target = same && !same.disabled ? same : (fresh.querySelector("button:enabled, summary") ?? fresh);
    target.focus({ preventScroll: true });
    if (tagName === "TEXTAREA" && target === same) target.setSelectionRange(selectionStart, selectionEnd);
  };
}

function carryEdit(old, part) {
  const before = old.querySelector("details.edit[open] textarea");
  const after = part.querySelector("details.edit textarea");
  if (!before || !after || before.value === before.defaultValue) return;
  after.closest("details").open = true;
  after.value = before.value;
}

// Someone at the end of the page stays there while it grows; someone reading further up is left alone.
function keepPlace(change) {
  const room = document.scrollingElement;
  const atEnd = room.scrollHeight - room.scrollTop - room.clientHeight < 60;
  change();
  if (atEnd) room.scrollTop = room.scrollHeight;
}

function show(writer) {
  document.body.classList.toggle("writing", Boolean(writer));
  say(writer ? `${writer} is writing…` : "");
}

function say(sentence) {
  if (status.textContent !== sentence) status.textContent = sentence;
}

async function submit(event) {
  const form = event.target;
  if (!status) return; // An older part of the story: plain forms, answered by a fresh page.
  event.preventDefault();
  if (sending.has(form)) return;
  sending.add(form);
  form.setAttribute("aria-busy", "true");
  try {
    await send(form, event.submitter);
  } finally {
    sending.delete(form);
    form.removeAttribute("aria-busy");
  }
}

async function send(form, submitter) {
  const fields = new FormData(form, submitter);
  const said = new URLSearchParams([...fields].map(([name, value]) => [name, value instanceof File ? value.name + value.size : value]));
  said.delete("token");
  said.delete("nonce");
  fields.set("nonce", nonceFor(`${form.action} ${said}`));
  fields.set("token", thread.dataset.token);
  const { trouble, told } = await ask(form.action, form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields));
  const now = current(form);
  if (!trouble) {
    last = { body: "", nonce: "" };
    accepted(now, fields.get("text"));
    answer(told);
  }
  (now.querySelector(".trouble") ?? reply.querySelector(".trouble")).textContent = trouble;
}

// What a command came back with, for this reader alone. The server printed it, as it prints the thread.
function answer(html) {
  note.innerHTML = html;
  note.hidden = !html;
  if (html) note.scrollIntoView({ block: "nearest" });
}

// The same form as it stands now: its turn may have been printed anew while the answer was on its way.
function current(form) {
  return form.isConnected ? form : (document.getElementById(form.elements.text?.id)?.form ?? form);
}

// Why it was not accepted ("" when it was), and the answer to a command, if it has one.
async function ask(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    const { error, note: told } = await response.json();
    if (response.status === 403) reconnect();
    const trouble = response.ok ? "" : (error ?? "It was not accepted; reload the page and try again.");
    return { trouble, told: told ?? "" };
  } catch {
    return { trouble: "Understudy could not be reached. What you typed is still here; try again in a moment.", told: "" };
  }
}

function reconnect() {
  disconnect();
  connect();
}

// The same words sent again after an error count once, so they carry the same nonce.
function nonceFor(body) {
  if (last.body !== body) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    last = { body, nonce: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return last.nonce;
}

function accepted(form, text) {
  const details = form.closest("details");
  if (details) close(details);
  if (form.id !== "reply" && form.id !== "command") return;
  if (form.elements.text.value === text) form.elements.text.value = "";
  form.elements.text.focus({ preventScroll: form !== reply });
  if (form === reply) document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
}

function close(details) {
  details.querySelector("form")?.reset();
  details.open = false;
  details.querySelector("summary").focus();
}

function opened(event) {
  if (!event.target.matches("details.edit[open]")) return;
  event.target.querySelector("[data-close]").hidden = false;
  // Only a person opens it from its summary; put in place again by a change, it must not draw the focus.
  if (document.activeElement === event.target.querySelector("summary")) event.target.querySelector("textarea").focus();
}

function keys(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.preventDefault();
    event.target.form?.requestSubmit(event.target.form.querySelector("button.primary"));
  }
  if (event.key === "Escape" && event.target.closest?.("details:is(.edit, .menu, .fold)[open]")) close(event.target.closest("details"));
}
