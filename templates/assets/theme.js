// What the theme can do where scripts run. Every page can be read and walked through without it.

const root = document.documentElement;
const words = document.body.dataset;

// A preview says so when it has put other nodes into the page.
const SWAP = "fencepost:swap";

// The colour scheme: automatic, light, dark, and around again. scheme.js puts the kept one in place.
const SCHEMES = ["auto", "light", "dark"];

function followScheme(button) {
  const show = () => {
    const now = root.dataset.scheme ?? "auto";
    const name = `${button.dataset.scheme}: ${button.dataset[now]}`;
    button.setAttribute("aria-label", name);
    button.title = name;
  };
  button.addEventListener("click", () => {
    const next = SCHEMES[(SCHEMES.indexOf(root.dataset.scheme ?? "auto") + 1) % SCHEMES.length];
    if (next === "auto") delete root.dataset.scheme;
    else root.dataset.scheme = next;
    try {
      if (next === "auto") localStorage.removeItem("scheme");
      else localStorage.setItem("scheme", next);
    } catch {
      // Chosen for this page only.
    }
    show();
  });
  show();
}

// Copying code: without the prompts of a session, and without what it printed.
const PROMPT = /^\s*(?:>>>|\.\.\.|In \[\d+\]:)(?: |$)/;
const SHELL_PROMPT = /^\s*\$ /;
const SESSIONS = /language-(?:pycon|console|shell-session|sh-session|text|bash|shell|sh|zsh)\b|^$/;

export function withoutPrompts(text, language = "") {
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.some((line) => /^\s*>>>(?: |$)/.test(line))) {
    return lines
      .filter((line) => PROMPT.test(line))
      .map((line) => line.replace(PROMPT, ""))
      .join("\n");
  }
  if (SESSIONS.test(language) && lines.some((line) => SHELL_PROMPT.test(line))) {
    return lines
      .filter((line, at) => SHELL_PROMPT.test(line) || lines[at - 1]?.endsWith("\\"))
      .map((line) => line.replace(SHELL_PROMPT, ""))
      .join("\n");
  }
  return lines.join("\n");
}

function button(name, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = label;
  return made;
}

function addCopying(pre) {
  const frame = framed(pre);
  if (frame.querySelector(":scope > .copy")) return;
  const copy = button("copy", "");
  copy.setAttribute("aria-label", words.copy);
  copy.title = words.copy;
  const told = document.createElement("span");
  told.className = "told";
  told.setAttribute("role", "status");
  let timer;
  copy.addEventListener("click", async () => {
    const code = frame.querySelector("pre.highlight code"); // a preview may have put in another one
    await write(withoutPrompts(code.textContent, code.className));
    copy.dataset.done = "";
    told.textContent = words.copied;
    clearTimeout(timer);
    timer = setTimeout(() => {
      delete copy.dataset.done;
      told.textContent = "";
    }, 1600);
  });
  frame.append(copy, told);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No such right here (a page without TLS): the old way.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "told";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

// What holds a block of code and does not scroll with it.
function framed(pre) {
  const frame = pre.parentElement;
  if (frame.matches(".cell-code, .code, details")) return frame;
  const made = document.createElement("div");
  made.className = "code";
  pre.replaceWith(made);
  made.append(pre);
  return made;
}

// A long text has a part of it in sight, which scrolls; a button shows all of it.
function addShowingAll(pre) {
  if (pre.nextElementSibling?.matches(".show-all")) return;
  const all = button("show-all", words.showAll.replace("{}", pre.dataset.lines));
  all.setAttribute("aria-expanded", "false");
  all.addEventListener("click", () => {
    const open = pre.classList.toggle("whole");
    all.setAttribute("aria-expanded", String(open));
    all.textContent = open ? words.showLess : words.showAll.replace("{}", pre.dataset.lines);
    if (!open) pre.scrollIntoView({ block: "nearest" });
  });
  pre.after(all);
}

// The entry of the contents whose part of the text is being read.
function followContents(contents) {
  let links;
  let parts;
  let current;
  let waiting = false;
  const look = () => {
    waiting = false;
    const line = Math.min(innerHeight * 0.3, 200);
    let at = parts.findLastIndex((part) => part && part.getBoundingClientRect().top <= line);
    if (scrollY > 0 && innerHeight + scrollY >= root.scrollHeight - 2) {
      // At the end of the page no later part can come up to the line: the last one in sight is read.
      const last = parts.findLastIndex((part) => part && part.getBoundingClientRect().top < innerHeight);
      at = Math.max(at, last);
    }
    const link = links[at];
    if (link === current) return;
    current?.removeAttribute("aria-current");
    current = link;
    if (!link) return;
    link.setAttribute("aria-current", "location");
    if (contents.scrollHeight > contents.clientHeight) {
      const top = link.getBoundingClientRect().top - contents.getBoundingClientRect().top;
      contents.scrollTop += top - contents.clientHeight / 2;
    }
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(look);
    waiting = true;
  };
  const read = () => {
    links = [...contents.querySelectorAll('a[href^="#"]')];
    parts = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    look();
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon, { passive: true });
  document.addEventListener(SWAP, read);
  read();
}

// On a phone the contents stand above the text: they are folded again when an entry was chosen.
function closeOnChoice(contents) {
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && getComputedStyle(contents).position !== "sticky") contents.open = false;
  });
}

// The search is loaded when it is first asked for: by a button, `/`, Ctrl-K or Command-K.
function followSearch(button) {
  button.addEventListener("click", () => openSearch(button.dataset.search));
}

// Until it is there, a field out of sight takes what is typed, syllables of Hangul as well.
let waiting;

async function openSearch(address) {
  if (waiting) return;
  const before = document.activeElement;
  waiting = document.createElement("input");
  waiting.className = "told";
  waiting.setAttribute("aria-label", searching.getAttribute("aria-label") ?? searching.textContent);
  document.body.append(waiting);
  waiting.focus({ preventScroll: true });
  try {
    const search = await import("./search.js");
    waiting.blur(); // a syllable that is being composed is one now
    before?.focus({ preventScroll: true });
    search.open(address, waiting.value);
  } finally {
    waiting.remove();
    waiting = undefined;
  }
}

function isAskedFor(event) {
  if (event.altKey || event.shiftKey || event.isComposing) return false;
  if (event.ctrlKey || event.metaKey) return event.code === "KeyK" || event.key === "k";
  return event.key === "/" && !event.target.closest?.("input, textarea, select, [contenteditable]");
}

const searching = document.querySelector("button[data-search]");
if (searching) {
  addEventListener("keydown", (event) => {
    if (!isAskedFor(event)) return;
    event.preventDefault();
    openSearch(searching.dataset.search);
  });
}
document.querySelectorAll("[data-search-page]").forEach(async (place) => {
  const search = await import("./search.js");
  search.fill(place, place.dataset.searchPage);
});

document.querySelectorAll("button[data-search]").forEach(followSearch);

// A video asks nothing of its host before it is started.
function followVideo(play) {
  play.hidden = false;
  play.addEventListener("click", () => {
    const frame = document.createElement("iframe");
    frame.src = play.dataset.frame;
    frame.title = play.parentElement.querySelector("a").textContent;
    frame.allow = "autoplay; fullscreen; picture-in-picture";
    play.parentElement.replaceChildren(frame);
    frame.focus();
  });
}

// What blocks of the text have; in a page that a preview has changed, new ones as well.
function furnish() {
  document.querySelectorAll(".show-all").forEach((all) => {
    if (!all.previousElementSibling?.matches("pre[data-lines]")) all.remove();
  });
  document.querySelectorAll(".prose pre.highlight").forEach(addCopying);
  document.querySelectorAll(".prose pre[data-lines]").forEach(addShowingAll);
  document.querySelectorAll("button[data-frame][hidden]").forEach(followVideo);
}

document.addEventListener(SWAP, furnish);
document.querySelectorAll("button[data-scheme]").forEach(followScheme);
furnish();
document.querySelectorAll("details.toc").forEach((contents) => {
  followContents(contents);
  closeOnChoice(contents);
});
