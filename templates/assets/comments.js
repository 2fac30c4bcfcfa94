// Comments: nothing is asked of another host before a reader comes near them.

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = root.dataset.scheme;
  return chosen === "dark" || (chosen !== "light" && dark.matches);
}

function whenSchemeChanges(tell) {
  dark.addEventListener("change", tell);
  new MutationObserver(tell).observe(root, { attributeFilter: ["data-scheme"] });
}

function script(attributes) {
  const made = document.createElement("script");
  made.async = true;
  for (const [name, value] of Object.entries(attributes)) {
    if (value) made.setAttribute(name, value);
  }
  return made;
}

function giscus(place) {
  const { repository, repositoryId, category, categoryId, mapping, language } = place.dataset;
  const theme = () => (isDark() ? "dark" : "light");
  place.classList.add("giscus");
  place.after(
    script({
      src: "https://giscus.app/client.js",
      crossorigin: "anonymous",
      "data-repo": repository,
      "data-repo-id": repositoryId,
      "data-category": category,
      "data-category-id": categoryId,
      "data-mapping": mapping,
      "data-strict": "1",
      "data-reactions-enabled": "1",
      "data-emit-metadata": "0",
      "data-input-position": "top",
      "data-theme": theme(),
      "data-lang": language.split("-")[0],
    }),
  );
  whenSchemeChanges(() => {
    const frame = place.querySelector("iframe.giscus-frame");
    frame?.contentWindow.postMessage({ giscus: { setConfig: { theme: theme() } } }, "https://giscus.app");
  });
}

// Its own script would put a style element into the page, which the policy forbids: the frame is made here.
function utterances(place) {
  const origin = "https://utteranc.es";
  const { repository, mapping, label, title } = place.dataset;
  const theme = () => (isDark() ? "github-dark" : "github-light");
  const here = new URL(location.href);
  const session = here.searchParams.get("utterances") ?? kept("utterances-session");
  if (here.searchParams.has("utterances")) {
    keep("utterances-session", session);
    here.searchParams.delete("utterances");
    history.replaceState(undefined, document.title, here.href);
  }
  const meta = (name) => document.querySelector(`meta[name="${name}"], meta[property="${name}"]`)?.content ?? "";
  const frame = document.createElement("iframe");
  frame.className = "utterances-frame";
  frame.title = title;
  frame.loading = "lazy";
  frame.src = `${origin}/utterances.html?${new URLSearchParams({
    repo: repository,
    "issue-term": mapping,
    ...(label ? { label } : {}),
    theme: theme(),
    crossorigin: "anonymous",
    url: document.querySelector('link[rel="canonical"]')?.href ?? here.origin + here.pathname,
    origin: here.origin,
    pathname: here.pathname.slice(1).replace(/\.\w+$/, ""),
    title: document.title,
    description: meta("description"),
    "og:title": meta("og:title"),
    session: session ?? "",
  })}`;
  place.append(frame);
  addEventListener("message", (event) => {
    if (event.origin === origin && event.data?.type === "resize" && event.data.height) {
      frame.height = event.data.height;
    }
  });
  whenSchemeChanges(() => frame.contentWindow.postMessage({ type: "set-theme", theme: theme() }, origin));
}

function disqus(place) {
  const { shortname, url, identifier, language } = place.dataset;
  window.disqus_config = function () {
    this.page.url = new URL(url, location.href).href;
    this.page.identifier = identifier;
    this.language = language.split("-")[0];
  };
  place.id = "disqus_thread";
  document.body.append(
    script({ src: `https://${shortname}.disqus.com/embed.js`, "data-timestamp": String(Date.now()) }),
  );
  whenSchemeChanges(() => window.DISQUS?.reset({ reload: true, config: window.disqus_config }));
}

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // For this page only.
  }
}

const PROVIDERS = { giscus, utterances, disqus };
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        watcher.unobserve(target);
        PROVIDERS[target.dataset.provider](target);
      }
    }
  },
  { rootMargin: "400px" },
);
for (const place of document.querySelectorAll(".comments-place")) watcher.observe(place);
