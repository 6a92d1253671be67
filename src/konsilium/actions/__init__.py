"""The verbs, one file a desk: the only code that changes what people work with."""
