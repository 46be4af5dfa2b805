// One stroke judges and goes on. The forms of the page do the work: a key presses a button of the item that is shown,
// and what a form would send waits in an outbox until the server has acknowledged it. Texts are set as text only.
"use strict";
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const store = `outbox ${one("#unsaved").dataset.day}`; // item numbers are those of one day's queue
const outbox = JSON.parse(sessionStorage.getItem(store) ?? "[]");
const past = [];
const shown = () => all("article.item").find((item) => !item.hidden);
const numberOf = (item) => Number(item.id.slice(5));
const press = (key) => one(`[data-key="${key}"]`, shown() ?? document.createElement("i"))?.click();
const focusOn = (key) => one(`[data-key="${key}"]`, shown() ?? document.createElement("i"))?.focus();
let since = performance.now();

// The keys, what they do, and how; the sheet is made of this table.
const KEYS = [
  [["p"], "pass, and next (of a pair: A is better)", press],
  [["f"], "fail, and next (of a pair: B is better)", press],
  [["u"], "unsure, and next", press],
  [["1", "2", "3", "4", "5", "6", "7", "8", "9"], "fail with this failure mode, and next", press],
  [["/"], "type a failure mode; Enter fails with it", focusOn],
  [["n"], "write a note; Enter goes back to the answer", focusOn],
  [["z"], "take the last judgement back", takeBack],
  [["j"], "next answer", () => step(1)],
  [["k"], "answer before", () => step(-1)],
  [["?"], "this list", toggleSheet],
  [["Escape"], "leave a field, or this list", leave],
];

function show(item) {
  for (const other of all("article.item:not([hidden]), #end")) other.hidden = true;
  item.hidden = false;
  for (const link of all(".steps a")) {
    if (item.id === `item-${link.dataset.item}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  since = performance.now();
  item.focus({ preventScroll: true });
  scrollTo(0, 0);
  (window.requestIdleCallback ?? setTimeout)(prepareNext);
}

// The next answer is laid out, invisible, while this one is read: then it is there at once.
function prepareNext() {
  for (const item of all(".next")) item.classList.remove("next");
  nextOpen()?.classList.add("next");
}

function nextOpen() {
  const items = all("article.item");
  const here = items.indexOf(shown());
  return [...items.slice(here + 1), ...items.slice(0, here)].find((item) => !item.classList.contains("judged"));
}

function step(by) {
  const items = all("article.item");
  const next = items[items.indexOf(shown()) + by] ?? (by > 0 ? one("#end") : shown() ? null : items.at(-1));
  if (next) show(next);
}

function goOn() {
  show(nextOpen() ?? one("#end"));
}

function mark(item, isJudged) {
  item.classList.toggle("judged", isJudged);
  one('[data-key="z"]', item).hidden = !isJudged;
  one(".reveal", item).hidden = true;
  const link = one(`.steps a[data-item="${numberOf(item)}"]`);
  link.classList.toggle("judged", isJudged);
  link.ariaLabel = `Item ${item.dataset.place}${isJudged ? ", judged" : ""}`;
  count();
}

function count(seconds = 0) {
  const judged = all("article.judged").length;
  const took = one("#took");
  took.dataset.seconds = Number(took.dataset.seconds) + seconds;
  const whole = Math.round(took.dataset.seconds);
  took.textContent = whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  one("#done").value = judged;
  one("#done").max = one("#all").textContent = all("article.item").length;
  one("#judged").textContent = judged;
  if (one("#open")) one("#open").textContent = all("article.item:not(.judged)").length || "";
  if (one("#end-count")) [one("#end-count").textContent, one("#end-took").textContent] = [judged, took.textContent];
}

function send(event) {
  const form = event.target.closest("form.judge");
  if (!form) return;
  event.preventDefault();
  const item = form.closest("article");
  const fields = new FormData(form, event.submitter);
  const isBack = fields.get("verdict") === "retract";
  if (fields.get("verdict") === "typed" && !fields.get("failure_mode").trim()) return;
  const seconds = (performance.now() - since) / 1000;
  fields.set("label_id", Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join(""));
  fields.set("seconds", seconds.toFixed(1));
  outbox.push({ number: numberOf(item), body: new URLSearchParams(fields).toString(), isBack });
  keep();
  item.classList.toggle("judged", !isBack);
  if (isBack) {
    show(item);
  } else {
    past.push(item);
    one(".incidents")?.removeAttribute("open");
    goOn();
  }
  setTimeout(() => {
    // when the next answer is drawn
    mark(item, item.classList.contains("judged"));
    count(isBack ? 0 : seconds);
    flush();
  });
}

function takeBack() {
  while (past.length) {
    const item = past.pop();
    if (item.isConnected && item.classList.contains("judged")) return one('[data-key="z"]', item).click();
  }
  if (shown()?.classList.contains("judged")) press("z");
}

function keep(why = "") {
  sessionStorage.setItem(store, JSON.stringify(outbox));
  one("#unsaved").textContent = outbox.length ? `unsaved ${outbox.length}${why && `: ${why}`}` : "";
}

let isSending = false;
async function flush() {
  if (isSending) return;
  isSending = true;
  for (let wait = 250; outbox.length; ) {
    const answer = await post(outbox[0].body);
    if (answer.why) {
      keep(answer.why); // what is in the outbox stays there, in order
      await new Promise((wake) => setTimeout(wake, wait));
      wait = Math.min(wait * 2, 4000);
      continue;
    }
    const sent = outbox.shift(); // before the page is touched: no answer keeps the next one waiting
    keep();
    wait = 250;
    try {
      if (answer.isSaved) acknowledge(answer);
      else refuse(sent, answer.line);
    } catch (error) {
      console.error(error);
    }
  }
  isSending = false;
}

// What the server says of one judgement: that it is saved, that it never will be, or why it must be sent again.
async function post(body) {
  try {
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
    const answer = await fetch("/labels", { method: "POST", body, headers, signal: AbortSignal.timeout(10000) });
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json") ?? false;
    const said = isJson ? await answer.json() : { line: await answer.text() };
    if (answer.ok && isJson) return { ...said, isSaved: true };
    if ([400, 404, 409, 413].includes(answer.status)) return { line: said.line, isSaved: false };
    if (answer.status === 403) return { why: "open the address that genchi review printed" };
    return { why: (!answer.ok && said.line) || "the server does not answer" };
  } catch {
    return { why: "the server does not answer" };
  }
}

function acknowledge(answer) {
  const item = one(`#item-${answer.item}`);
  if (item && item.classList.contains("judged")) {
    const list = document.createElement("dl");
    for (const [name, value] of answer.reveal) {
      const row = document.createElement("div");
      for (const [tag, text] of [["dt", name], ["dd", value]]) row.append(Object.assign(document.createElement(tag), { textContent: text }));
      list.append(row);
    }
    one(".reveal", item).replaceChildren(list);
    one(".reveal", item).hidden = !answer.reveal.length;
  }
  one("#said").textContent = answer.line;
  for (const number of answer.taken) {
    const other = one(`#item-${number}`);
    if (other && other.hidden && !other.classList.contains("judged")) {
      other.remove();
      one(`.steps a[data-item="${number}"]`).parentElement.remove();
    }
  }
  count();
}

function refuse(sent, line) {
  const item = one(`#item-${sent.number}`);
  const form = new URLSearchParams(sent.body);
  const mode = form.get("mode") || form.get("failure_mode");
  const verdict = sent.isBack ? "take back" : form.get("mode") || form.get("verdict") === "typed" ? "fail" : form.get("verdict");
  const what = [verdict, verdict === "fail" ? mode : "", form.get("note")?.slice(0, 500)].filter(Boolean).join(", ");
  const place = item ? `Item ${item.dataset.place}` : `${form.get("subject_id") ?? "An item"}, which is not here any more`;
  one("#refused").append(Object.assign(document.createElement("li"), { textContent: `${place}: not saved (${what}): ${line}` }));
  if (item) mark(item, sent.isBack);
}

function toggleSheet() {
  const sheet = one("#sheet");
  if (sheet.open) sheet.close();
  else sheet.showModal();
}

function leave() {
  document.activeElement?.blur();
  if (one("#sheet").open) one("#sheet").close();
  shown()?.focus({ preventScroll: true });
}

function buildSheet() {
  const sheet = Object.assign(document.createElement("dialog"), { id: "sheet", ariaLabel: "Keys" });
  const list = document.createElement("dl");
  for (const [keys, what] of KEYS) {
    const row = document.createElement("div");
    const name = document.createElement("dt");
    for (const key of keys) name.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    row.append(name, Object.assign(document.createElement("dd"), { textContent: what }));
    list.append(row);
  }
  sheet.append(Object.assign(document.createElement("h2"), { textContent: "Keys" }), list);
  document.body.append(sheet);
  one("#help").hidden = false;
  one("#help").addEventListener("click", toggleSheet);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  const isField = event.target.matches("input, textarea");
  const key = isField && event.key === "Enter" && event.target.name === "note" && !event.shiftKey ? "Escape" : event.key;
  if (isField && key !== "Escape") return;
  const found = KEYS.find(([keys]) => keys.includes(key.length === 1 ? key.toLowerCase() : key));
  if (!found || (one("#sheet").open && !["?", "Escape"].includes(key))) return;
  event.preventDefault();
  found[2](key.length === 1 ? key.toLowerCase() : key);
});
document.addEventListener("submit", send);
document.addEventListener("click", (event) => {
  const link = event.target.closest(".steps a");
  if (!link) return;
  event.preventDefault();
  show(one(`#item-${link.dataset.item}`));
});
addEventListener("beforeunload", (event) => outbox.length && event.preventDefault());
document.addEventListener("visibilitychange", () => (since = performance.now()));

buildSheet();
prepareNext();
for (const { number, isBack } of outbox) if (one(`#item-${number}`)) mark(one(`#item-${number}`), !isBack);
keep();
flush();
