/* Cells of the case grid. */

var dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

/** Follow a link within the dashboard as dcc.Link does, and leave clicks that open a new tab to the browser. */
dagcomponentfuncs.navigate = (event, href) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  window.history.pushState({}, "", href);
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
};

dagcomponentfuncs.CaseThumbnail = ({ value, data }) => {
  const content = value
    ? React.createElement("img", { src: value, alt: "", loading: "lazy", className: "grid-thumbnail" })
    : React.createElement("span", { className: "grid-thumbnail missing", title: "Image not on this machine" });
  return React.createElement(
    "a",
    {
      href: data.href,
      tabIndex: -1,
      "aria-hidden": true,
      onClick: (event) => dagcomponentfuncs.navigate(event, data.href),
    },
    content,
  );
};

dagcomponentfuncs.CaseLink = ({ value, data }) =>
  React.createElement(
    "a",
    { href: data.href, className: "text-link", onClick: (event) => dagcomponentfuncs.navigate(event, data.href) },
    value,
  );

dagcomponentfuncs.ClassChip = ({ value, classes }) =>
  React.createElement(
    "span",
    { className: "class-chip", title: classes[value]?.name },
    React.createElement("span", { className: "class-dot", style: { background: classes[value]?.colour } }),
    value,
  );

dagcomponentfuncs.Verdict = ({ value }) =>
  React.createElement("span", { className: value ? "verdict right" : "verdict wrong" }, value ? "right" : "wrong");

dagcomponentfuncs.Confidence = ({ value }) =>
  React.createElement(
    "span",
    { className: "confidence" },
    React.createElement("span", { className: "confidence-bar", style: { "--share": value } }),
    value.toFixed(3),
  );
