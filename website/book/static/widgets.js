// The widget manager finds its own files, and anywidget, on which the explorers are built, here.
const here = document.currentScript.src.replace(/\/widgets\.js.*$/, "");
window.require.config({
  paths: {
    anywidget: `${here}/anywidget`,
    "@jupyter-widgets/html-manager/dist": `${here}/html-manager`,
  },
});
// It knows MathJax 2; that of this book is MathJax 3, and no label of an explorer is a formula.
window.addEventListener("load", () => {
  window.MathJax.Hub = { Queue() {} };
});
