// The search box at the top of every page: words and pages to choose from while you type.
// The pattern is the combobox of ARIA 1.2 (a list, chosen by hand). Without this script the form simply submits.
"use strict";

{
  const DELAY = 150; // milliseconds without a key
  const SHORTEST = 2; // letters
  const KEPT = 50; // answers

  const enhance = (form) => {
    const input = form.elements.q;
    const answers = new Map();
    let timer, request, active = -1, options = [];

    const list = document.createElement("ul");
    list.id = `${input.id}-voorstellen`;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", form.dataset.label);
    list.hidden = true;
    const status = document.createElement("div"); // read aloud; the list itself says nothing when it opens
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    form.append(list, status);

    input.type = "text"; // a field of the type search may not be a combobox
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    const isOpen = () => !list.hidden;

    const close = () => {
      clearTimeout(timer);
      request?.abort();
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    const activate = (place) => {
      options[active]?.setAttribute("aria-selected", "false");
      active = place;
      const option = options[active];
      if (option) {
        option.setAttribute("aria-selected", "true");
        option.scrollIntoView({ block: "nearest" });
        input.setAttribute("aria-activedescendant", option.id);
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    };

    const pick = (option) => {
      input.value = option.dataset.text;
      close();
      location.assign(option.dataset.url);
    };

    const show = ({ suggestions, status: sentence }) => {
      activate(-1);
      options = suggestions.map(({ text, kind, url }, place) => {
        const option = document.createElement("li");
        const words = document.createElement("span");
        option.id = `${list.id}-${place}`;
        option.dataset.text = text;
        option.dataset.url = url;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        words.textContent = text;
        option.append(words);
        if (kind) {
          const label = document.createElement("small");
          label.textContent = kind;
          option.append(" ", label);
        }
        return option;
      });
      list.replaceChildren(...options);
      list.hidden = options.length === 0;
      input.setAttribute("aria-expanded", String(isOpen()));
      status.textContent = sentence;
    };

    const ask = async () => {
      const query = input.value.trim();
      clearTimeout(timer);
      request?.abort();
      if (query.length < SHORTEST) return show({ suggestions: [], status: "" });
      if (!answers.has(query)) {
        request = new AbortController();
        const { signal } = request;
        try {
          const response = await fetch(`${form.dataset.suggestions}?${new URLSearchParams({ q: query })}`, { signal });
          if (!response.ok) return close();
          if (answers.size >= KEPT) answers.clear();
          answers.set(query, await response.json());
        } catch {
          return signal.aborted ? undefined : close(); // no suggestions; searching still works
        }
      }
      if (document.activeElement === input && query === input.value.trim()) show(answers.get(query));
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, DELAY);
    });

    input.addEventListener("keydown", async (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!isOpen()) {
          await ask();
          if (event.altKey) return;
        }
        if (!options.length || !isOpen()) return;
        // One place before the first and after the last is the field itself: no option active.
        const step = event.key === "ArrowDown" ? 1 : -1;
        const places = options.length + 1;
        activate(((active + 1 + step + places) % places) - 1);
      } else if (event.key === "Enter") {
        if (isOpen() && options[active]) {
          event.preventDefault();
          pick(options[active]);
        } else {
          close();
        }
      } else if (event.key === "Escape") {
        if (isOpen()) {
          event.preventDefault();
          close();
          status.textContent = "";
        } else {
          input.value = "";
        }
      } else if (event.key === "Tab") {
        close();
      }
    });

    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role='option']");
      if (option) pick(option);
    });
    input.addEventListener("blur", close);
    addEventListener("pageshow", close); // back from another page: as it was, without the list
  };

  document.querySelectorAll("form[data-suggestions]").forEach(enhance);
}
