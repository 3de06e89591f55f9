"""The wizard: three steps that make a module, and its drafts."""
