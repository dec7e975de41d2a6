(() => {
  "use strict";
  const root = document.documentElement;

  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  });

  // Pages: the address says which one is shown. Without this script they follow one another.
  const sheets = [...document.querySelectorAll(".sheet")];
  const scrolled = new Map();
  const stale = new Set(); // pages whose charts were drawn at another width
  const title = document.title;
  let here = null;

  function place() {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return null;
    }
  }

  function turn() {
    const target = place();
    const sheet = (target && target.closest(".sheet")) || sheets[0];
    if (here && here !== sheet) scrolled.set(here, scrollY);
    const turned = here !== sheet;
    here = sheet;
    sheets.forEach((s) => s.classList.toggle("here", s === sheet));
    root.classList.toggle("turned", sheet !== sheets[0]);
    document.title = sheet.dataset.title ? `${sheet.dataset.title} – ${title}` : title;
    if (stale.delete(sheet)) dispatchEvent(new Event("resize"));
    if (target && target !== sheet) {
      target.scrollIntoView({ block: target.matches("[id^='in-']") ? "center" : "start", behavior: turned ? "instant" : "smooth" });
    } else if (turned) {
      scrollTo({ top: sheet === sheets[0] ? scrolled.get(sheet) || 0 : 0, behavior: "instant" });
      if (target && sheet !== sheets[0]) sheet.querySelector("h2").focus({ preventScroll: true });
    }
  }

  history.scrollRestoration = "manual";
  root.classList.add("paged");
  turn();
  addEventListener("hashchange", turn);
  addEventListener("resize", () => sheets.forEach((s) => s !== here && stale.add(s)));

  // On paper all pages and all details are open, and every chart is drawn.
  let opened = [];
  addEventListener("beforeprint", () => {
    root.classList.remove("paged");
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((d) => { d.open = true; });
    if (stale.size) dispatchEvent(new Event("resize"));
    stale.clear();
  });
  addEventListener("afterprint", () => {
    root.classList.add("paged");
    opened.forEach((d) => { d.open = false; });
  });

  const source = document.getElementById("charts");
  if (!source || !window.vegaEmbed) return;
  const { templates, figures } = JSON.parse(source.textContent);
  const options = { mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } };

  function draw(place) {
    const { template, rows, height } = figures[place.dataset.chart];
    const fields = Object.keys(rows);
    const data = rows[fields[0]].map((_, i) => Object.fromEntries(fields.map((f) => [f, rows[f][i]])));
    place.removeAttribute("data-chart");
    vegaEmbed(place, { ...templates[template], height, datasets: { rows: data } }, options);
  }

  const waiting = () => document.querySelectorAll("[data-chart]");
  addEventListener("beforeprint", () => waiting().forEach(draw));
  if (!window.IntersectionObserver) {
    waiting().forEach(draw);
    return;
  }
  const watch = new IntersectionObserver((seen) => seen.filter((s) => s.isIntersecting).forEach((s) => {
    watch.unobserve(s.target);
    if (s.target.dataset.chart) draw(s.target);
  }), { rootMargin: "400px" });
  waiting().forEach((place) => watch.observe(place));
})();
