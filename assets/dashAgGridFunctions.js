/* The grid's look, from the same variables as the rest of the dashboard, so that light and dark follow. */

var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

dagfuncs.lesionlensGridTheme = (theme) =>
  theme.withParams({
    accentColor: "var(--accent)",
    backgroundColor: "var(--surface)",
    borderColor: "var(--line)",
    browserColorScheme: "inherit",
    chromeBackgroundColor: "var(--surface)",
    foregroundColor: "var(--ink)",
    fontFamily: "inherit",
    fontSize: 13,
    headerFontSize: 12,
    headerFontWeight: 550,
    headerTextColor: "var(--quiet)",
    cellHorizontalPadding: 10,
    rowHoverColor: "color-mix(in srgb, var(--accent) 7%, transparent)",
    wrapperBorderRadius: 8,
  });

/** A click anywhere in a row opens its case; links in it see to themselves. */
dagfuncs.openCase = ({ event, data }) => {
  if (event.defaultPrevented || event.target.closest("a")) return;
  window.dashAgGridComponentFunctions.navigate(event, data.href);
};
