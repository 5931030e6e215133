"""The laboratory: data sets, rendered footage, training, evaluation; no application needs it."""
