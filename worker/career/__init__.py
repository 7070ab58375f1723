"""Career domain of the worker ("V3"): intents, prompts, sanitiser, response validation. Pure, standard library only."""
