(() => {
  const table = document.getElementById("class");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const text = document.getElementById("find"), pick = document.getElementById("pick");
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, at) => {
    const raw = row.cells[at].dataset.v;
    const number = Number(raw);
    return raw === "" ? null : Number.isNaN(number) ? raw.toLocaleLowerCase() : number;
  };
  const compare = (a, b, up) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return up ? order : -order;
  };
  heads.forEach((head, at) => head.querySelector("button")?.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach(one => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.map((row, place) => [value(row, at), place, row])
      .sort((a, b) => compare(a[0], b[0], up) || a[1] - b[1])
      .forEach(([, , row]) => table.tBodies[0].append(row));
  }));
  const filter = () => {
    const wanted = text.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = row.cells[0].textContent.toLocaleLowerCase().includes(wanted) &&
        (!pick.value || row.dataset.kinds.split(" ").includes(pick.value));
      row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("shown").textContent = `${shown} / ${rows.length}`;
  };
  text.addEventListener("input", filter);
  pick.addEventListener("change", filter);
  document.querySelector(".filters").hidden = false;
  filter();
})();
