"""What workers see of the ways out of the system, told to those who look at pages."""
