"""From attenuation to isotopes and lithiation, with balances and uncertainty budgets."""
