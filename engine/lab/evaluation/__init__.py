"""The field's own metrics: frame and pixel ROC AUC, RBDC and TBDC, and the files they need."""
