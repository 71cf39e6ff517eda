/* Changing the model: the same view, by an application of that model's own. */

(() => {
  const TAKEN = "lesionlens-image"; // in the tab's own storage, from one document to the next

  /** An image that was uploaded is in no address: the one that is shown goes along, the others stay behind. */
  function takeImage() {
    const { search } = window.location;
    const source = document.getElementById("explain-original")?.getAttribute("src");
    if (!source || /[?&](sample|case)=/.test(search)) return;
    try {
      sessionStorage.setItem(TAKEN, JSON.stringify({ name: document.getElementById("explain-name").textContent, source }));
    } catch {
      // It is larger than a tab may store: the user opens it again.
    }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    models: {
      choose(address) {
        const own = `${window.lesionlens.root}/`;
        if (address !== own) {
          takeImage();
          const { pathname, search } = window.location;
          window.location.assign(address + pathname.slice(own.length) + search);
        }
        return own; // for those who come back
      },

      arrive() {
        const taken = JSON.parse(sessionStorage.getItem(TAKEN));
        sessionStorage.removeItem(TAKEN);
        const { no_update } = window.dash_clientside;
        return taken ? [[taken.source], [taken.name]] : [no_update, no_update];
      },
    },
  });
})();
