(() => {
  "use strict";
  const root = document.documentElement;

  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  });

  // Details open for paper, and close again after.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));

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
