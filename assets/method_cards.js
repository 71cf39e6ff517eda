/* What stands in the card of each heatmap. The server lays out empty cards (app/heat_card.py); assets/explain.js,
   assets/regions.js and assets/trust.js write to the parts, which are called explain-PART-METHOD. */

(function () {
  const icon = (name) => window.lesionlens.icon(name).outerHTML;

  function button(part, text, picture, label, method, more = "") {
    const attributes = `id="explain-${part}-${method}" class="small-button" data-action="${part}" data-method="${method}"`;
    return `<button type="button" ${attributes} aria-label="${label}" ${more}>${icon(picture)}${text}</button>`;
  }

  function head(method, name) {
    const downloads = ["png", "npz"].map((kind) =>
      button(kind, kind.toUpperCase(), "download", `Download ${name} as ${kind.toUpperCase()}`, method),
    );
    return `<div class="panel-heading"><h2>${name}</h2><div class="heat-downloads">${downloads.join("")}</div></div>`;
  }

  function body(method, name, sentence) {
    const part = (kind) => `id="explain-${kind}-${method}"`;
    return `
      <div class="pictures">
        <figure class="picture-original">
          <div class="picture">
            <img ${part("plain")} alt="Original image"><span class="synthetic-mark">synthetic</span>
          </div>
          <figcaption>Original</figcaption>
        </figure>
        <figure class="picture-overlay">
          <div class="picture">
            <img ${part("under")} alt="Original image">
            <img ${part("heat")} alt="${name} heatmap over the image" class="heat">
          </div>
          <figcaption>Overlay</figcaption>
        </figure>
        <figure class="picture-map">
          <div class="picture"><img ${part("map")} alt="${name} heatmap alone"></div>
          <figcaption>Map</figcaption>
        </figure>
      </div>
      <div class="colour-bar">
        <div ${part("scale")} class="colour-scale"></div>
        <div class="colour-numbers">
          <span ${part("low")}></span><span ${part("middle")}></span><span ${part("high")}></span>
        </div>
      </div>
      <div class="heat-progress">
        <progress ${part("amount")} aria-label="${name} progress"></progress>
        <div class="heat-progress-row">
          <span ${part("status")} class="heat-status"></span>
          ${button("cancel", "Cancel", "x", `Cancel ${name}`, method)}
          ${button("again", "Run again", "refresh", `Run ${name} again`, method)}
        </div>
      </div>
      <p class="caption">${sentence}</p>
      <details class="heat-regions">
        <summary>Regions by value</summary>
        <div ${part("regions-table")} class="heat-regions-box" tabindex="0" role="region" aria-label="Regions of ${name}"></div>
        <p ${part("regions-note")} class="caption"></p>
      </details>
      <div ${part("trust-panel")} class="trust" data-trust="none">
        <div class="trust-heading">
          <h3 class="trust-title">Trust it?</h3>
          ${button("trust-curves", "Curves", "chart-line", `Show the deletion and insertion curves of ${name}`, method, 'aria-haspopup="dialog"')}
        </div>
        <ul ${part("trust-chips")} class="trust-chips" aria-label="Verdicts on ${name}"></ul>
        <p ${part("agreement")} class="trust-agreement"></p>
        <p ${part("trust-note")} class="caption" role="status" aria-live="polite"></p>
        ${button("trust-again", "Measure again", "refresh", `Measure again what ${name} is worth`, method)}
      </div>
      <div ${part("announce")} class="visually-hidden" role="status" aria-live="polite"></div>`;
  }

  /** Fill the empty cards of a page; `methods` has the name and the sentence of each. */
  window.lesionlens.fillCards = (methods) => {
    for (const [method, { name, sentence }] of Object.entries(methods)) {
      const card = document.getElementById(`explain-card-${method}`);
      card.querySelector(".heat-head").innerHTML = head(method, name);
      card.querySelector(".heat-body").innerHTML = body(method, name, sentence);
    }
  };
})();
