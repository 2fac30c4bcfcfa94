// What makes an open page of a preview live: it is told of each new edition of the site, and takes over what of
// its own page is another now. All else stays: the scroll position, the focus, what is folded open.

const { token } = document.currentScript.dataset;
const query = (more = {}) => new URLSearchParams({ page: location.pathname, ...more });

// A copy of the page as it was sent, and for each node of it the one that stands in the page. What other scripts
// do to the page does not change the copy, so a comparison with the next edition shows what the author changed.
const sent = document.documentElement.cloneNode(true);
const live = new WeakMap();
relate(sent, document.documentElement);

function relate(copy, node) {
  live.set(copy, node);
  for (let a = copy.firstChild, b = node.firstChild; a && b; a = a.nextSibling, b = b.nextSibling) relate(a, b);
}

// --- the page as it is now -------------------------------------------------------------------

let tag = "";
let fetching = false;
let compared = false;
let again = false;

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    do {
      again = false;
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(location.pathname, { headers, cache: "no-store" });
      if (answer.status === 304 || answer.status === 404) continue; // as it is, or gone: the last good page stays
      const html = await answer.text();
      if (!(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) continue;
      tag = answer.headers.get("ETag") ?? "";
      swap(new DOMParser().parseFromString(html, "text/html").documentElement);
    } while (again);
  } finally {
    fetching = false;
  }
}

function swap(next) {
  const scripts = (root) => [...root.querySelectorAll("script[src]")].map((script) => script.src).join(" ");
  if (scripts(sent) !== scripts(next)) {
    location.reload(); // another script: the page begins anew
    return;
  }
  if (!compared) {
    // Scripts in the head have marked the root before there was a copy, with the reader's colour scheme for one.
    for (const { name } of [...sent.attributes]) sent.removeAttribute(name);
    for (const { name, value } of next.attributes) sent.setAttribute(name, value);
    compared = true;
  }
  const changed = [];
  patch(sent, next, changed);
  if (changed.length) document.dispatchEvent(new CustomEvent("fencepost:swap", { detail: changed }));
}

// Make the copy `old` equal to `next`, and do the same to the page.
function patch(old, next, changed) {
  if (old.isEqualNode(next)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = live.get(old).nodeValue = next.nodeValue;
    return;
  }
  const node = live.get(old);
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name)) for (const each of [old, node]) each.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (old.getAttribute(name) !== value) for (const each of [old, node]) each.setAttribute(name, value);
  }
  patchChildren(old, next, changed);
}

function patchChildren(old, next, changed) {
  const before = [...old.childNodes];
  const after = [...next.childNodes];
  let start = 0;
  while (start < before.length && start < after.length && before[start].isEqualNode(after[start])) start += 1;
  let last = before.length;
  let end = after.length;
  while (last > start && end > start && before[last - 1].isEqualNode(after[end - 1])) {
    last -= 1;
    end -= 1;
  }
  const rest = before.slice(start, last);
  const behind = before[last] ?? null;
  for (const node of after.slice(start, end)) {
    const same = rest.findIndex((each) => each.isEqualNode(node));
    const alike = same >= 0 ? same : rest.findIndex((each) => isLike(each, node));
    if (alike < 0) {
      insert(old, node, rest[0] ?? behind, changed);
      continue;
    }
    for (const gone of rest.splice(0, alike)) remove(old, gone);
    const kept = rest.shift();
    if (same < 0) patch(kept, node, changed);
  }
  for (const gone of rest) remove(old, gone);
}

function isLike(a, b) {
  return a.nodeName === b.nodeName && (a.nodeType !== Node.ELEMENT_NODE || (a.id === b.id && kind(a) === kind(b)));
}

const kind = (element) => element.classList[0] ?? "";

function insert(parent, node, before, changed) {
  const copy = document.importNode(node, true);
  const made = document.importNode(node, true);
  parent.insertBefore(copy, before);
  relate(copy, made);
  const place = live.get(parent);
  place.insertBefore(made, before && childOf(place, live.get(before)));
  changed.push(made);
}

function remove(parent, old) {
  const place = live.get(parent);
  childOf(place, live.get(old))?.remove();
  old.remove();
}

// A script may have put a node into a frame of its own: then the frame is the child.
function childOf(place, node) {
  while (node && node.parentNode !== place) node = node.parentNode;
  return node;
}

// --- word from the preview -------------------------------------------------------------------

let pause = 250;

function listen() {
  const socket = new WebSocket(`ws://${location.host}/.fencepost/live?${query({ token })}`);
  socket.addEventListener("open", () => {
    pause = 250;
  });
  socket.addEventListener("message", refresh);
  socket.addEventListener("close", () => {
    setTimeout(rejoin, pause);
    pause = Math.min(pause * 2, 5000);
  });
}

// The preview was ended. When it is there again it has another token, which only a new page has.
async function rejoin() {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    const html = await answer.text();
    if (!html.includes(`data-token="${token}"`)) location.reload();
    else listen();
  } catch {
    setTimeout(rejoin, pause);
    pause = Math.min(pause * 2, 5000);
  }
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest?.(".preview-stop")?.dataset.cell;
  if (!cell) return;
  event.target.disabled = true;
  fetch(`/.fencepost/stop?${query({ cell })}`, { method: "POST", headers: { "X-Fencepost-Token": token } });
});

listen();
