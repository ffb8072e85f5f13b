// On a phone the contents lie over the page. They close when a link in them is followed, which may
// lead to another part of this page; closed without one, they give the focus back to their button.
for (const side of ["primary", "secondary"]) {
  const menu = document.getElementById(`pst-${side}-sidebar-modal`);
  menu?.addEventListener("click", (event) => {
    if (event.target.closest("a")) menu.close("link");
  });
  menu?.addEventListener("close", () => {
    if (menu.returnValue !== "link") document.querySelector(`.${side}-toggle`).focus();
    menu.returnValue = "";
  });
}

// What the search shows of a page is its text, without the answers to its predictions.
if (typeof Search !== "undefined") {
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const parsed = new DOMParser().parseFromString(page, "text/html");
    const others = ".bd-header-article, #jb-print-docs-body, .prediction details";
    parsed.querySelectorAll(others).forEach((part) => part.remove());
    return textOf(parsed.documentElement.outerHTML, anchor);
  };
}

// Paper is white: a page in the dark theme is printed in the light one.
const root = document.documentElement;
let theme;
addEventListener("beforeprint", () => ([theme, root.dataset.theme] = [root.dataset.theme, "light"]));
addEventListener("afterprint", () => (root.dataset.theme = theme));
