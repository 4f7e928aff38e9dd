import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["wireproof/web/page/vendor/"] },
  js.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, uPlot: "readonly" } } },
];
