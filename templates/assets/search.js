// The search box: in a dialog over any page, and on the page /search/. It is loaded when it is first asked for.

import { Index, parse } from "./search-index.js";

const IN_DIALOG = 8;
const ON_PAGE = 20;

const WORDS = {
  ko: {
    search: "검색",
    hint: "글, 코드, 출력에서 찾기",
    results: "검색 결과",
    close: "닫기",
    none: "찾은 글이 없습니다.",
    failed: "검색 색인을 불러오지 못했습니다. 다시 입력해 보세요.",
    found: (number, more) => `글 ${number}개${more ? " 이상을" : "를"} 찾았습니다.`,
    more: "더 보기",
    all: "모든 결과 보기",
    keys: [["↑↓", "고르기"], ["Enter", "열기"], ["Esc", "닫기"]],
  },
  en: {
    search: "Search",
    hint: "Search posts, code and outputs",
    results: "Results",
    close: "Close",
    none: "Nothing was found.",
    failed: "The index could not be loaded. Try again.",
    found: (number, more) => (number === 1 && !more ? "1 post was found." : `${number}${more ? " or more" : ""} posts were found.`),
    more: "Show more",
    all: "All results",
    keys: [["↑↓", "choose"], ["Enter", "open"], ["Esc", "close"]],
  },
};
const words = WORDS[document.documentElement.lang.split("-")[0]] ?? WORDS.en;

function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

// [text, is it a hit?] pairs as text with marks.
function marked(pieces) {
  return pieces.map(([text, isHit]) => (isHit ? element("mark", {}, text) : text));
}

// A field and the list below it: a combobox that keeps the focus, while the arrow keys choose in the list.
class Finder {
  #address;
  #most;
  #index;
  #places = [];
  #seen = 0; // how many of the places were looked at
  #turn = 0;

  constructor(address, most, name) {
    this.#address = address;
    this.#most = most;
    const list = `${name}.results`; // An id that no heading has: theirs hold no dot.
    this.field = element("input", {
      ...{ type: "text", name: "q", role: "combobox", "aria-label": words.search, placeholder: words.hint },
      ...{ "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list, "aria-haspopup": "listbox" },
      ...{ autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search" },
    });
    this.status = element("p", { role: "status", class: "search-status" });
    this.list = element("div", { role: "listbox", id: list, class: "search-results", "aria-label": words.results, hidden: "" });
    this.more = element("button", { type: "button", class: "search-more", hidden: "" }, words.more);
    this.form = element("form", { role: "search", action: address, class: "search-form" }, this.field);
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.field.addEventListener("input", () => this.search());
    this.field.addEventListener("keydown", (event) => this.#press(event));
    this.more.addEventListener("click", () => this.#show(this.#turn));
  }

  get options() {
    return [...this.list.children];
  }

  get chosen() {
    return this.list.querySelector('[aria-selected="true"]');
  }

  // Show what is found for what stands in the field, unless something else stands there by then.
  async search() {
    const turn = ++this.#turn;
    const query = parse(this.field.value);
    try {
      await this.#find(query, turn);
    } catch {
      try {
        // A new state of the site has come since the index was loaded: its old files are gone.
        this.#index = Index.open(this.#address, "reload");
        await this.#find(query, turn);
      } catch {
        this.#index = undefined;
        if (turn === this.#turn) this.#clear(words.failed);
      }
    }
  }

  async #find(query, turn) {
    this.#index ??= Index.open(this.#address);
    const index = await this.#index;
    const places = await index.find(query);
    if (turn !== this.#turn) return;
    this.#places = places;
    this.#seen = 0;
    this.query = query;
    if (!places.length) {
      this.#clear(query.some((word) => word.chunks.length) ? words.none : "");
      return;
    }
    await this.#show(turn, true);
  }

  // Show the next pages that really hold the words: of a few the index knows too little to be sure.
  async #show(turn, anew = false) {
    const index = await this.#index;
    const hits = [];
    while (hits.length < this.#most && this.#seen < this.#places.length) {
      const next = this.#places.slice(this.#seen, this.#seen + this.#most - hits.length);
      const shown = await Promise.all(next.map((place) => index.show(place, this.query)));
      if (turn !== this.#turn) return;
      this.#seen += next.length;
      hits.push(...shown.filter(Boolean));
    }
    const options = hits.map((hit) => this.#option(hit));
    if (anew) this.list.replaceChildren(...options);
    else this.list.append(...options);
    this.options.forEach((option, at) => (option.id = `${this.list.id}.${at}`));
    const number = this.list.childElementCount;
    const isMore = this.#seen < this.#places.length;
    if (!number) {
      this.#clear(words.none);
      return;
    }
    this.list.hidden = false;
    this.more.hidden = !isMore;
    this.field.setAttribute("aria-expanded", "true");
    this.status.textContent = words.found(number, isMore);
    if (anew) this.#choose(this.options[0]);
  }

  #option({ url, title, heading, excerpt }) {
    const option = element("a", { role: "option", href: url, tabindex: "-1", "aria-selected": "false" });
    option.append(element("span", { class: "search-title" }, ...marked(title)));
    if (heading.length) option.append(element("span", { class: "search-heading" }, ...marked(heading)));
    if (excerpt.length) option.append(element("span", { class: "search-excerpt" }, ...marked(excerpt)));
    return option;
  }

  #clear(message) {
    this.list.replaceChildren();
    this.list.hidden = true;
    this.more.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    this.status.textContent = message;
  }

  #choose(option) {
    this.chosen?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #press(event) {
    if (event.isComposing) return; // the key is for the syllable that is being typed
    const options = this.options;
    const at = options.indexOf(this.chosen);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      this.#choose(options[(at + step + options.length) % options.length]);
    } else if (event.key === "Enter" && this.chosen) {
      this.chosen.click();
    } else {
      return;
    }
    event.preventDefault();
  }
}

let dialog;
let before; // what had the focus

// Open the search over this page; `address` is that of the page /search/, `typed` what has been typed meanwhile.
export function open(address, typed = "") {
  dialog ??= makeDialog(address);
  if (!dialog.open) {
    before = document.activeElement;
    dialog.showModal();
  }
  const field = dialog.querySelector("input");
  field.select();
  if (!typed) return;
  field.value = typed;
  field.dispatchEvent(new Event("input"));
}

function makeDialog(address) {
  const finder = new Finder(address, IN_DIALOG, "search");
  const made = element("dialog", { class: "search-dialog", "aria-label": words.search });
  const close = element("button", { type: "button", class: "search-close", "aria-label": words.close }, "×");
  const all = element("a", { class: "search-all", href: address }, words.all);
  const keys = element("p", { class: "search-keys", "aria-hidden": "true" });
  for (const [key, meaning] of words.keys) keys.append(element("kbd", {}, key), ` ${meaning} `);
  finder.form.append(close);
  close.addEventListener("click", () => made.close());
  made.addEventListener("close", () => {
    finder.field.blur();
    before?.focus({ preventScroll: true });
  });
  finder.field.addEventListener("input", () => (all.href = `${address}?q=${encodeURIComponent(finder.field.value)}`));
  made.addEventListener("click", (event) => {
    if (event.target === made || event.target.closest("[role=option]")) made.close(); // beside it, or at a result
  });
  made.append(finder.form, finder.status, finder.list, element("footer", {}, all, keys));
  style();
  document.body.append(made);
  return made;
}

// The page /search/ itself: what is asked for stands in its address.
export function fill(place, address) {
  const finder = new Finder(address, ON_PAGE, "page");
  finder.field.value = new URLSearchParams(location.search).get("q") ?? "";
  finder.field.addEventListener("input", () => {
    const query = finder.field.value;
    history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
  });
  place.append(finder.form, finder.status, finder.list, finder.more);
  finder.field.focus();
  if (finder.field.value) finder.search();
}

function style() {
  const address = new URL("./search.css", import.meta.url).href;
  if ([...document.styleSheets].some((sheet) => sheet.href === address)) return;
  document.head.append(element("link", { rel: "stylesheet", href: address }));
}
