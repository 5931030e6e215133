"""Metrics of the field (frame and pixel ROC AUC, RBDC, TBDC), on the data sets of the field."""
