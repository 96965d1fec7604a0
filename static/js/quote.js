// The desk: a button that copies the words selected in the text into the passage of a comment.
(() => {
  const text = document.querySelector("[data-quotable]");
  let selected = "";
  if (!text) return;
  document.addEventListener("selectionchange", () => {
    const selection = document.getSelection();
    if (selection.rangeCount && text.contains(selection.getRangeAt(0).commonAncestorContainer)) {
      selected = selection.toString().trim() || selected;
    }
  });
  for (const button of document.querySelectorAll("[data-quote-into]")) {
    button.parentElement.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.quoteInto);
      field.value = selected;
      field.focus();
    });
  }
})();
