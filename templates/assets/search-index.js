// What a reader types -> the pages where it stands, the best first. builder/search.py writes the files that are
// read here; builder/terms.py cuts texts into terms in the same way as `lookups` does with words.

const LONGEST = 20;
const LONGEST_NUMBER = 3;
const LONGEST_INITIALS = 6;
const SHORTEST_PARTED = 3; // syllables of a word that is also found with spaces in it
const FIELDS = 4;
const PAGES_IN_A_FILE = 16;
const SIGNS = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).filter((sign) => !'"\\'.includes(sign)).join("");
const BASE = SIGNS.length / 2;
const AROUND = 90; // letters of a sentence to each side of the first hit, where it is long

const HAN = "\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff";
const CHUNK = new RegExp(`[가-힣ㄱ-ㅎ]+|[${HAN}]+|(?:(?![가-힣ㄱ-ㅎ${HAN}])[\\p{L}\\p{N}_])+`, "gu");
const PAIRED = new RegExp(`[가-힣${HAN}]`, "u");
const SENTENCE_END = /[.!?。](?=\s)/g;

// Hangul: a syllable is an initial consonant, a vowel and perhaps a final consonant.
const FIRST = 0xac00;
const OF_INITIAL = 588;
const OF_VOWEL = 28;
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const FINALS = "\0ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
// Two consonants of which a keyboard makes one sign.
const PAIRS = { ㄳ: "ㄱㅅ", ㄵ: "ㄴㅈ", ㄶ: "ㄴㅎ", ㄺ: "ㄹㄱ", ㄻ: "ㄹㅁ", ㄼ: "ㄹㅂ", ㄽ: "ㄹㅅ", ㄾ: "ㄹㅌ", ㄿ: "ㄹㅍ", ㅀ: "ㄹㅎ", ㅄ: "ㅂㅅ" };

// --- what is asked for -------------------------------------------------------------------------

// The words of a query: each with a pattern that matches it in a text, and with what is to be looked up for it.
export function parse(query) {
  const words = query.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  return words.map((word) => {
    const text = word.replace(/[ㄳ-ㅄ]/g, (sign) => PAIRS[sign] ?? sign);
    const chunks = (text.match(CHUNK) ?? []).map(lookups).filter((all) => all.length);
    return { text, pattern: pattern(text), chunks, parted: chunks.map(alsoParted) };
  });
}

// All spellings of the last syllable of a word that is still being typed, as lists of ranges of letters: 도 may
// become 동, 밉 may become 미부.
function unfinished(syllable) {
  const code = syllable.charCodeAt(0);
  const final = (code - FIRST) % OF_VOWEL;
  const open = code - final;
  if (final === 0) return [[[open, open + OF_VOWEL - 1]]];
  const [one, two] = PAIRS[FINALS[final]] ?? FINALS[final];
  const longer = [...FINALS].map((sign, at) => (!two && PAIRS[sign]?.[0] === one ? at : -1)).filter((at) => at > 0);
  const rest = two ? open + FINALS.indexOf(one) : open;
  const next = initial(two ?? one);
  return [
    [[code, code]],
    ...longer.map((at) => [[open + at, open + at]]),
    ...(next ? [[[rest, rest], next]] : []),
  ];
}

// The syllables that begin with a consonant.
function initial(consonant) {
  const at = INITIALS.indexOf(consonant);
  return at < 0 ? null : [FIRST + at * OF_INITIAL, FIRST + (at + 1) * OF_INITIAL - 1];
}

function spellings(letters) {
  const cells = letters.map((letter) => initial(letter) ?? [letter.charCodeAt(0), letter.charCodeAt(0)]);
  const last = letters.at(-1);
  return /[가-힣]/.test(last) ? unfinished(last).map((end) => [...cells.slice(0, -1), ...end]) : [cells];
}

// What to look up for one chunk of a word: a list of ways, each of which is a list of lookups that all must succeed.
// A lookup says in which part of the terms to look (`start`: the first letters), and which terms count.
function lookups(chunk) {
  const letters = [...chunk];
  if (/^[ㄱ-ㅎ]+$/.test(chunk)) {
    const start = chunk.slice(0, LONGEST_INITIALS);
    return letters.length < 2 ? [] : [[{ start, counts: (term) => term.startsWith(start) }]];
  }
  if (PAIRED.test(chunk)) {
    const ways = /[가-힣]/.test(chunk) ? spellings(letters) : [letters.map((letter) => [letter.charCodeAt(0), letter.charCodeAt(0)])];
    return ways.map(inPairs).filter((way) => way.length);
  }
  if (letters.length === 1) return [[{ start: chunk, counts: (term) => term === chunk }]];
  const start = chunk.slice(0, /^\d+$/.test(chunk) ? LONGEST_NUMBER : LONGEST);
  return [[{ start, counts: (term) => term.startsWith(start) }]];
}

// The pairs of letters that stand side by side in a word, as far as the first of each is known.
function inPairs(cells) {
  const known = cells.map(([low, high]) => (low === high ? String.fromCharCode(low) : null));
  if (cells.length === 1) return known[0] ? [{ start: known[0], counts: (term) => term[0] === known[0] }] : alone(cells[0]);
  return cells.slice(1).flatMap(([low, high], at) => {
    const start = known[at];
    const counts = (term) => term[0] === start && term.charCodeAt(1) >= low && term.charCodeAt(1) <= high;
    return start ? [{ start, counts }] : [];
  });
}

// The ways of a chunk, and those in which spaces part its syllables (`자동 미분` for `자동미분`): where one does, the
// last letter of a word stands in the index for the pair. Short words would be found in all that ends like them.
function alsoParted(ways) {
  const more = ways.flatMap((way) => {
    if (way.length < SHORTEST_PARTED - 1 || !way.every(({ start }) => /[가-힣]/.test(start))) return [];
    const gaps = way.flatMap((_, one) => [[one], ...way.flatMap((_, other) => (other > one + 1 ? [[one, other]] : []))]);
    return gaps.map((gap) => way.map((lookup, at) => (gap.includes(at) ? lastOf(lookup) : lookup)));
  });
  return [...ways, ...more];
}

function lastOf({ start }) {
  return { start, counts: (term) => term === start };
}

// One syllable that may still get a final consonant: what begins with it as it is.
function alone([low, high]) {
  const start = String.fromCharCode(low);
  return high - low < OF_VOWEL ? [{ start, counts: (term) => term[0] === start }] : [];
}

function pattern(word) {
  const letters = [...word];
  const onlyInitials = /^[ㄱ-ㅎ]+$/.test(word);
  const sources = letters.map((letter) => {
    const range = initial(letter);
    if (range) return `[${letter}${String.fromCharCode(range[0])}-${String.fromCharCode(range[1])}]`;
    return letter.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  });
  if (/[가-힣]/.test(letters.at(-1))) {
    const ends = unfinished(letters.at(-1)).map((end) =>
      end.map(([low, high]) => (low === high ? String.fromCharCode(low) : `[${String.fromCharCode(low)}-${String.fromCharCode(high)}]`)).join(""),
    );
    sources[sources.length - 1] = ends.length > 1 ? `(?:${ends.join("|")})` : ends[0];
  }
  const isParted = (at) => onlyInitials || (letters.length >= SHORTEST_PARTED && letters.slice(at, at + 2).join("").match(/^[가-힣]{2}$/));
  const source = sources.map((each, at) => (at + 1 < sources.length && isParted(at) ? `${each}\\s?` : each)).join("");
  // A `-` outside of brackets may not be escaped where `u` is on.
  return new RegExp(source.replaceAll("\\-", "-"), "giu");
}

// --- where it stands ---------------------------------------------------------------------------

// The same number as in search.py.
export function partOf(term, parts) {
  const [first, second = "\0"] = term;
  return (first.codePointAt(0) * 31 + (PAIRED.test(first) ? 0 : second.codePointAt(0))) % parts;
}

// A list of ascending numbers, as search.py writes it: differences, in digits of which the lowest comes first.
function* numbers(list) {
  let number = 0;
  let factor = 1;
  for (const sign of list) {
    const digit = SIGNS.indexOf(sign);
    number += factor * (digit % BASE);
    if (digit >= BASE) {
      factor *= BASE;
    } else {
      factor = 1;
      yield number;
    }
  }
}

export class Index {
  #address;
  #entry;
  #loaded = new Map();

  constructor(address, entry) {
    this.#address = address;
    this.#entry = entry;
  }

  // The index below an address (`/search/`). Which files it has is asked of the host each time.
  static async open(address, cache = "no-cache") {
    return new Index(address, await load(`${address}index.json`, { cache }));
  }

  // The numbers of the pages that may hold all words, the best first, and among equals the newest; behind them those
  // that may hold them with spaces between their syllables.
  async find(words) {
    const whole = await this.#holding(words.flatMap((word) => word.chunks));
    const parted = await this.#holding(words.flatMap((word) => word.parted));
    return [...new Set([...whole, ...parted])];
  }

  // The numbers of the pages that may hold all chunks, in the same order.
  async #holding(chunks) {
    if (!chunks.length) return [];
    const scores = await Promise.all(chunks.map((ways) => this.#places(ways)));
    const [first, ...others] = scores.sort((one, other) => one.size - other.size);
    return [...first.keys()]
      .filter((place) => others.every((places) => places.has(place)))
      .map((place) => [place, scores.reduce((sum, places) => sum + places.get(place), 0)])
      .sort(([one, score], [other, rival]) => rival - score || other - one)
      .map(([place]) => place);
  }

  // What a page shows for these words; null if it does not hold them after all.
  async show(place, words) {
    const rows = await this.#file("pages", this.#entry.pages[Math.floor(place / PAGES_IN_A_FILE)]);
    const [url, title, text] = rows[place % PAGES_IN_A_FILE];
    const [tags, ...sections] = await this.#file("texts", text);
    return hit({ url, title, tags, sections }, words);
  }

  // Place -> field, of one chunk: the best of its ways.
  async #places(ways) {
    const found = await Promise.all(
      ways.map(async (way) => {
        const [first, ...others] = await Promise.all(way.map((lookup) => this.#lookUp(lookup)));
        const all = [...first].filter(([place]) => others.every((places) => places.has(place)));
        return all.map(([place, field]) => [place, Math.min(field, ...others.map((places) => places.get(place)))]);
      }),
    );
    return best(found.flat());
  }

  async #lookUp({ start, counts }) {
    const { terms } = this.#entry;
    const part = await this.#file("terms", terms[partOf(start, terms.length)]);
    const found = [];
    for (const [term, list] of Object.entries(part)) {
      if (!counts(term)) continue;
      for (const code of numbers(list)) found.push([Math.floor(code / FIELDS), code % FIELDS]);
    }
    return best(found);
  }

  #file(folder, name) {
    const path = `${this.#address}${folder}/${name}.json`;
    if (!this.#loaded.has(path)) {
      const loading = load(path);
      loading.catch(() => this.#loaded.delete(path));
      this.#loaded.set(path, loading);
    }
    return this.#loaded.get(path);
  }
}

function best(found) {
  const fields = new Map();
  for (const [place, field] of found) fields.set(place, Math.max(field, fields.get(place) ?? 0));
  return fields;
}

async function load(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

// --- what is shown -----------------------------------------------------------------------------

// The heading that the best hit stands under, and its sentence, as [text, is it a hit?] pairs.
function hit({ url, title, tags, sections }, words) {
  const missing = words.filter((word) => !matches(word, title) && !tags.some((tag) => matches(word, tag)));
  const parts = sections.map(([id, heading, text]) => ({ id, heading, lines: text.split("\n").map(tidy).filter(Boolean) }));
  const holds = (word) => parts.some(({ heading, lines }) => matches(word, heading) || lines.some((line) => matches(word, line)));
  if (!missing.every(holds)) return null;
  const ranked = parts.map((part) => {
    const inHeading = count(words, part.heading);
    const line = part.lines.reduce((one, other) => (count(words, other) > count(words, one) ? other : one), part.lines[0] ?? "");
    return { part, line, score: 2 * inHeading + count(words, line) };
  });
  const top = ranked.reduce((one, other) => (other.score > one.score ? other : one));
  const { part, line } = top.score ? top : (ranked.find(({ line }) => line) ?? top);
  return {
    url: part.id && top.score ? `${url}#${encodeURIComponent(part.id)}` : url,
    title: marked(title, words),
    heading: marked(part.heading, words),
    excerpt: marked(sentence(line, words), words),
  };
}

function tidy(line) {
  return line.replace(/\s+/g, " ").trim();
}

function matches({ pattern }, text) {
  return text.search(pattern) >= 0;
}

function count(words, text) {
  return words.filter((word) => matches(word, text)).length;
}

// The sentence of a paragraph in which most words stand, cut where it is long.
function sentence(line, words) {
  const ends = [...line.matchAll(SENTENCE_END)].map((end) => end.index + 1);
  const sentences = [0, ...ends].map((start, at) => line.slice(start, ends[at]).trim()).filter(Boolean);
  const text = sentences.reduce((one, other) => (count(words, other) > count(words, one) ? other : one), sentences[0] ?? "");
  if (text.length <= 2 * AROUND) return text;
  const first = Math.min(...ranges(text, words).map(([start]) => start), text.length);
  const from = Math.max(0, Math.min(first - AROUND, text.length - 2 * AROUND));
  const to = from + 2 * AROUND;
  return (from ? "…" : "") + text.slice(from, to).trim() + (to < text.length ? "…" : "");
}

function ranges(text, words) {
  const found = words.flatMap(({ pattern }) => [...text.matchAll(pattern)].map((match) => [match.index, match.index + match[0].length]));
  return found.sort(([one], [other]) => one - other);
}

function marked(text, words) {
  const pieces = [];
  let at = 0;
  for (const [start, end] of ranges(text, words)) {
    if (end <= at) continue;
    if (start > at) pieces.push([text.slice(at, start), false]);
    pieces.push([text.slice(Math.max(start, at), end), true]);
    at = end;
  }
  if (at < text.length) pieces.push([text.slice(at), false]);
  return pieces;
}
