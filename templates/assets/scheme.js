// Before anything is painted: the colour scheme that the reader chose, and that scripts run at all.
{
  const root = document.documentElement;
  root.classList.add("scripts");
  try {
    const chosen = localStorage.getItem("scheme");
    if (chosen === "light" || chosen === "dark") root.dataset.scheme = chosen;
  } catch {
    // The browser keeps nothing: the scheme is that of the system.
  }
}
