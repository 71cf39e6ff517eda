/* What is said of the patient on the Explain page, kept in its address. */

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  patient: {
    remember(age, sex, site) {
      window.lesionlens.replaceQuery({ age, sex, site });
    },
  },
});
