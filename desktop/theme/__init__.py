"""How the window looks: colours, stylesheet, icons, and the parts that panels and dialogs share."""
