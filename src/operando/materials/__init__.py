"""What a material is made of and how it answers neutrons, X-rays, magnetic fields and currents."""
