/* What all pages share in the browser. */

window.lesionlens = {
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
