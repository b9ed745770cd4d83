// A figure that somebody points at becomes interactive: its picture gives way to the same chart
// with tooltips. The picture stays where there is no script, on paper, and where anything fails.
"use strict";

(() => {
  const script = document.currentScript;
  const narrow = window.matchMedia("(max-width: 640px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    ast: true, // expressions are interpreted: the page forbids evaluation
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true, theme: "custom" },
  };
  let library = null;

  function load() {
    library ??= new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = script.dataset.vega;
      element.addEventListener("load", () => resolve(window.vegaEmbed));
      element.addEventListener("error", () => reject(new Error("the chart library")));
      document.head.append(element);
    });
    return library;
  }

  function address(figure) {
    const { specification, narrow: small, dark: night, narrowDark } = figure.dataset;
    if (narrow.matches) {
      return dark.matches ? narrowDark : small;
    }
    return dark.matches ? night : specification;
  }

  async function draw(figure) {
    const picture = figure.querySelector("picture");
    const place = document.createElement("div");
    place.className = "live";
    place.hidden = true;
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", picture.querySelector("img").alt);
    picture.after(place);
    try {
      const [embed, answer] = await Promise.all([load(), fetch(address(figure))]);
      if (!answer.ok) {
        throw new Error(answer.statusText);
      }
      await embed(place, await answer.json(), options);
      place.hidden = false;
      picture.hidden = true;
      figure.dataset.state = "live";
    } catch {
      place.remove();
      figure.dataset.state = "picture";
    }
  }

  function begin(event) {
    const figure = event.currentTarget.closest("figure");
    if (figure.dataset.state === undefined) {
      figure.dataset.state = "loading";
      draw(figure);
    }
  }

  function forget() {
    for (const figure of document.querySelectorAll('figure[data-state="live"]')) {
      figure.querySelector(".live").remove();
      figure.querySelector("picture").hidden = false;
      delete figure.dataset.state;
    }
  }

  for (const picture of document.querySelectorAll("figure[data-specification] picture")) {
    picture.addEventListener("pointerenter", begin);
  }
  narrow.addEventListener("change", forget);
  dark.addEventListener("change", forget);
})();
