"""Going through what `dialogues build` wrote: accept, correct, reject."""
