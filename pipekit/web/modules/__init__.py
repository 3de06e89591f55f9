"""Pages of modules: list, page, form, and what the form's parts are."""
