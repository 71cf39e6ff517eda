/* What all pages share in the browser. */

(() => {
  const address = () => window.location.pathname + window.location.search;
  let routed = address(); // the address that the page was last built from

  /** Dash does not notice a link to the address that it last routed to, where replaceQuery has rewritten it since. */
  window.addEventListener("_dashprivate_pushstate", () => {
    const { pathname, search } = window.location;
    if (address() === routed) window.dash_clientside.set_props("location", { pathname, search });
    routed = address();
  });

  window.addEventListener("popstate", () => {
    routed = address();
  });

  /* Large tables come as text (app/html_text.py). */
  new MutationObserver(() => {
    for (const box of document.querySelectorAll("[data-html]")) {
      box.innerHTML = box.dataset.html;
      box.removeAttribute("data-html");
    }
  }).observe(document, { childList: true, subtree: true, attributeFilter: ["data-html"] });

  window.lesionlens = {
    /** What the addresses of this model start with (app/urls.py): nothing, or /models/NAME. */
    get root() {
      const config = JSON.parse(document.getElementById("_dash-config").textContent);
      return config.requests_pathname_prefix.replace(/\/$/, "");
    },

    /** The icon assets/icons/`name`.svg in the colour of the text around it, as app/components.py makes it. */
    icon(name) {
      const picture = document.createElement("span");
      picture.className = "icon";
      picture.style.cssText = `--icon: url(/assets/icons/${name}.svg); width: 14px; height: 14px`;
      picture.setAttribute("aria-hidden", "true");
      return picture;
    },

    /** Rewrite the address bar without navigating: `changes` maps names of the query to values, null removes one. */
    replaceQuery(changes) {
      const query = new URLSearchParams(window.location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === undefined || value === "") query.delete(name);
        else query.set(name, value);
      }
      const text = query.toString();
      window.history.replaceState(window.history.state, "", window.location.pathname + (text ? `?${text}` : ""));
    },
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.lesionlens = {
    /** Name the tab after the page, once the page is drawn. */
    title() {
      requestAnimationFrame(() => {
        const heading = document.querySelector("#page h1");
        document.title = heading ? `${heading.textContent} · LesionLens` : "LesionLens";
      });
    },
  };
})();
