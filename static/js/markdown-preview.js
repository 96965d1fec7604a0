// Shows next to each Markdown field how readers will see it: rendered by the server, as on the public page.
"use strict";

{
  const DELAY = 400;

  const preview = (area) => {
    const { previewUrl, previewLabel, previewFailed } = area.dataset;
    const token = area.form.elements.csrfmiddlewaretoken.value;
    const box = document.createElement("div");
    box.className = "markdown-preview";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", previewLabel);
    area.after(box);
    area.closest(".form-row")?.classList.add("has-preview");

    let timer, request, shown;

    const show = async () => {
      const text = area.value;
      if (text === shown) return;
      shown = text;
      request?.abort();
      request = new AbortController();
      try {
        const response = await fetch(previewUrl, {
          method: "POST",
          body: new URLSearchParams({ text }),
          headers: { "X-CSRFToken": token },
          signal: request.signal,
        });
        const body = await response.text();
        box.classList.toggle("failed", !response.ok);
        if (response.ok) box.innerHTML = body;
        else box.textContent = response.status === 422 ? body : previewFailed;
      } catch (error) {
        if (error.name === "AbortError") return;
        shown = undefined;
        box.classList.add("failed");
        box.textContent = previewFailed;
      }
    };

    area.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, DELAY);
    });
    // A long form has many fields: each is rendered when it comes into view.
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && show()).observe(box);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("textarea[data-preview-url]").forEach(preview);
  });
}
