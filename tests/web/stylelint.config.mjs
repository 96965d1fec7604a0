export default {
  extends: "stylelint-config-standard",
  rules: {
    "no-descending-specificity": null, // layers say which rule wins, not the order in the file
    "custom-property-pattern": "^[a-z0-9]+(-{1,2}[a-z0-9]+)*$", // --step--1 is one step below the text
    "custom-property-empty-line-before": null,
    "media-feature-range-notation": "prefix", // older phones read min-width and not width >=
    "selector-id-pattern": null, // Django's admin writes #result_list
    "value-keyword-case": ["lower", { ignoreKeywords: ["A4"] }],
  },
};
