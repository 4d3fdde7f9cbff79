"""What a volume is made of: density and albedo at any point, as a grid, a hash grid or an MLP."""
