"""Reports: one view model, decided and formatted once, rendered as HTML, Markdown, JUnit XML and terminal text."""
